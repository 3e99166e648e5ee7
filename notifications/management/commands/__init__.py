"""Commands of manage.py about messages."""
