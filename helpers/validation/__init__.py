"""For the people who publish the lessons: run them, and keep what they show true."""
