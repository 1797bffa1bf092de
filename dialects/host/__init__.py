"""The `host` dialect: what runs beside the chip, and the border between floats and integers."""
