"""The `loihi` dialect: groups of neurons, synapses and ports as Lava and Loihi 2 have them, with their fixed points."""
