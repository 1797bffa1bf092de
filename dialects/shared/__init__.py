"""What dialects have in common: shape rules, op bases and their NumPy meanings. Not a dialect itself."""
