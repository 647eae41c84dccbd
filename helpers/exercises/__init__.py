"""``Your turn``: a task in every lesson, judged by what the learner's code really sent."""

from helpers.exercises.exercise import Exercise, Feedback, Outcome, Task
from helpers.exercises.tasks import of_lesson

__all__ = ["Exercise", "Feedback", "Outcome", "Task", "of_lesson"]
