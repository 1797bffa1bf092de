"""How an `snn` network becomes buffers and loop nests: layouts, index maps, synapses, neurons."""
