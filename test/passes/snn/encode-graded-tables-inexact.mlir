// RUN: not nc-opt %s -p encode-graded 2>&1 | filecheck %s

// Constants that divide by nothing and sums that leave 64 bits are refused, with what would fit.

func.func @main(%x: tensor<2x!ann.count<-8, 7>>) {
  snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<2x!ann.count<-8, 7>> -> tensor<2x!ann.count<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<100000000> : tensor<1xi32>) : tensor<2x!ann.count<-8, 7>> -> tensor<2xi32>
    %2 = snn.lookup %1 threshold(dense<0> : tensor<1xi32>) clip 0 to 1 table(dense<[3, 9]> : tensor<2xi8>) : (tensor<2xi32>) -> tensor<2x!ann.count<3, 8>> loc("lookup.py":1:1)
    %3 = snn.softmax %1 divisor(dense<0> : tensor<1xi32>) table(dense<[0, -1]> : tensor<2xi8>) levels 15 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 15>> loc("softmax.py":2:1)
    %4 = snn.softmax %1 divisor(dense<1> : tensor<1xi32>) table(dense<4294967296> : tensor<1xi64>) levels 1073741824 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 1073741824>> loc("softmax.py":3:1)
    %5 = snn.layer_norm %1 gain(dense<2000000000> : tensor<1xi32>) shift(dense<128> : tensor<1xi32>) epsilon -1 : i64 : (tensor<2xi32>) -> tensor<2x!ann.count<-4, 4>> loc("norm.py":4:1)
    %9 = snn.layer_norm %1 gain(dense<1> : tensor<1xi32>) shift(dense<1> : tensor<1xi32>) epsilon 5.000000e-01 : f64 : (tensor<2xi32>) -> tensor<2x!ann.count<-4, 4>> loc("norm.py":6:1)
    %6 = snn.diagonal %1 weight(dense<1> : tensor<1xi8>) : tensor<2xi32> -> tensor<2xi32>
    %7 = snn.diagonal %6 weight(dense<4> : tensor<1xi8>) : tensor<2xi32> -> tensor<2xi32>
    %8 = snn.layer_norm %7 gain(dense<1> : tensor<1xi32>) shift(dense<128> : tensor<1xi32>) epsilon 0 : i64 : (tensor<2xi32>) -> tensor<2x!ann.count<-4, 4>> loc("norm.py":5:1)
    snn.output
  } : (tensor<2x!ann.count<-8, 7>>) -> ()
  func.return
}

// CHECK:      `snn.lookup` (lookup.py:1): a threshold is 0, and charges are counted in positive ones only
// CHECK-NEXT: `snn.lookup` (lookup.py:1): its table holds 3 ... 9, and it declares 3 ... 8
// CHECK-NEXT: `snn.softmax` (softmax.py:2): a divisor is 0, and charges are counted in positive ones only
// CHECK-NEXT: `snn.softmax` (softmax.py:2): its table holds negative parts, or none for the largest charge of a row
// CHECK-NEXT: `snn.softmax` (softmax.py:3): 1073741824 levels times 4294967296 leave 62 bits
// CHECK-NEXT: `snn.layer_norm` (norm.py:4): epsilon is -1, and nothing has a negative variance
// CHECK-NEXT: `snn.layer_norm` (norm.py:4): its charges may lie 1,500,000,000 apart, and times the gain they leave 62 bits beyond 1,152,921,504
// CHECK-NEXT: `snn.layer_norm` (norm.py:6): its epsilon is a float. Run quantize-weights first.
// CHECK-NEXT: `snn.layer_norm` (norm.py:5): its charges may lie 6,000,000,000 apart, and the squares of 2 of them leave 62 bits beyond 1,518,500,249
