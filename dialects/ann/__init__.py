"""The `ann` dialect: a trained network in floats, then in integers."""
