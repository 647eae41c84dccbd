"""``Your turn``: a task in every lesson, judged by what the learner's code really sent."""

from helpers.exercises.exercise import Exercise, Feedback, Outcome
from helpers.exercises.tasks import LESSONS, Task, of_lesson

__all__ = ["LESSONS", "Exercise", "Feedback", "Outcome", "Task", "of_lesson"]
