// RUN: not nc-opt %s -p 'verify-level{level=nowhere}' 2>&1 | filecheck %s
// RUN: not nc-opt %s -p verify-level 2>&1 | filecheck %s --check-prefix OWN

// An unknown level names the known ones; without an option the module's own level counts.

builtin.module attributes {nc.level = "ann-convertible"} {
  func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
    %0 = ann.log_softmax %x axis 0 : tensor<1xf32> -> tensor<1xf32>
    func.return %0 : tensor<1xf32>
  }
}

// CHECK: verify-level: level 'nowhere' is none of ann-imported, ann-convertible, ann-quantized, snn, snn-integer

// OWN: 1 thing stands between the model and level ann-convertible: `ann.log_softmax`
