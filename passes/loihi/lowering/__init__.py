"""How the parts of a spiking network are said at level `loihi`; `convert-snn-to-loihi` uses them."""
