"""What can be known of a spiking network before it runs."""
