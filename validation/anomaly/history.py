"""How much history the detector needs (docs/validation.md). Apart from the detector, which loads NumPy."""

MIN_DAYS = 28  # days of history needed for a result
MIN_ALERT_DAYS = 56  # and for an alert
