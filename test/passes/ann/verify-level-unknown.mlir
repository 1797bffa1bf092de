// RUN: not nc-opt %s -p 'verify-level{level="ann"}' 2>&1 | filecheck %s

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  func.return %x : tensor<1xf32>
}

// CHECK: verify-level: level 'ann' is none of ann-imported, ann-convertible, ann-quantized, snn, snn-integer
