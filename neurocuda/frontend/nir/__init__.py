"""Reading networks from NIR files (Pedersen et al. 2024): checked before anything is allocated, then said in `snn`."""
