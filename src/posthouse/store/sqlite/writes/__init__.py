"""What each value writes: one file for each group of values. A writer raises its refusal before its first statement."""
