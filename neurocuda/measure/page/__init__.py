"""The report as one HTML page that needs no network, no scripts and no other file."""
