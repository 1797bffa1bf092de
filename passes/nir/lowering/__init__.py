"""How an `snn` network becomes the nodes of a NIR graph: synapses, index maps, neurons."""
