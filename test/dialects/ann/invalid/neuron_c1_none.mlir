// RUN: not nc-opt %s 2>&1 | filecheck %s

// There is a current.

func.func @main() -> tensor<2xf32> {
  %r = "ann.neuron"() : () -> tensor<2xf32>
  func.return %r : tensor<2xf32>
}

// CHECK: a neuron layer needs at least one current
