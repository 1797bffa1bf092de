"""The reference interpreter: one NumPy meaning for every operation of every dialect."""
