// RUN: not nc-opt %s -p 'verify-level{level=cpu}' 2>&1 | filecheck %s

// Targets have levels of their own.

func.func @main(%x: tensor<1x!ann.count<0, 7>>) -> tensor<1x!ann.count<0, 7>> {
  %0 = snn.reshape %x : tensor<1x!ann.count<0, 7>> -> tensor<1x!ann.count<0, 7>> loc("flatten")
  func.return %0 : tensor<1x!ann.count<0, 7>>
}

// CHECK: 1 thing stands between the model and level cpu: `snn.reshape` (flatten)
