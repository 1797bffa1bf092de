// RUN: not nc-opt %s -p convert-snn-to-nir 2>&1 | filecheck %s

// A file holds one graph.

func.func @main(%x: tensor<1x!ann.count<0, 7>>) -> tensor<1x!ann.count<0, 7>> {
  func.return %x : tensor<1x!ann.count<0, 7>>
}
// CHECK: there are 0 networks
