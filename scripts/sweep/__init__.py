"""`main.py sweep`: many parameter sets over recorded funding, and how far to believe the best of them."""
