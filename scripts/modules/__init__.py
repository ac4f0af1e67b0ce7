"""What the signal modules would have earned on recorded history, told as it is. `command.py` begins it."""
