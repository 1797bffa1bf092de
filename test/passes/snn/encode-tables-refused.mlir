// RUN: not nc-opt %s -p encode-unary 2>&1 | filecheck %s
// RUN: not nc-opt %s -p encode-radix 2>&1 | filecheck %s
// RUN: not nc-opt %s -p encode-latency 2>&1 | filecheck %s
// RUN: not nc-opt %s -p encode-signed 2>&1 | filecheck %s
// RUN: not nc-opt %s -p encode-free 2>&1 | filecheck %s
// RUN: not nc-opt %s -p encode-free{delay=2} 2>&1 | filecheck %s

// Only graded spikes carry what table layers say and products read; all of them are listed.

func.func @main(%x: tensor<2x2x!ann.count<-8, 7>>) -> tensor<2x2xi32> {
  %y = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<2x2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<2x2x!ann.count<-8, 7>> -> tensor<2x2x!ann.count<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<2x2x!ann.count<-8, 7>> -> tensor<2x2xi32>
    %2 = snn.lookup %1 threshold(dense<2> : tensor<1xi32>) clip -3 to 3 : (tensor<2x2xi32>) -> tensor<2x2x!ann.count<-3, 3>> loc("gelu.py":1:1)
    %3 = snn.matrix_product %2, %0 : (tensor<2x2x!ann.count<-3, 3>>, tensor<2x2x!ann.count<-8, 7>>) -> tensor<2x2xi32> loc("matmul.py":2:1)
    %4 = snn.softmax %3 divisor(dense<4> : tensor<1xi32>) table(dense<[2, 1]> : tensor<2xi8>) levels 15 : (tensor<2x2xi32>) -> tensor<2x2x!ann.count<0, 15>> loc("softmax.py":3:1)
    %5 = snn.product %4, %2 : (tensor<2x2x!ann.count<0, 15>>, tensor<2x2x!ann.count<-3, 3>>) -> tensor<2x2xi32> loc("gate.py":4:1)
    %6 = snn.layer_norm %5 gain(dense<500> : tensor<1xi32>) shift(dense<128> : tensor<1xi32>) epsilon 9 : i64 : (tensor<2x2xi32>) -> tensor<2x2x!ann.count<-4, 4>> loc("norm.py":5:1)
    %7 = snn.diagonal %6 weight(dense<5> : tensor<1xi8>) : tensor<2x2x!ann.count<-4, 4>> -> tensor<2x2xi32>
    %8 = snn.accumulate %7 : (tensor<2x2xi32>) -> tensor<2x2xi32>
    snn.output %8 : tensor<2x2xi32>
  } : (tensor<2x2x!ann.count<-8, 7>>) -> (tensor<2x2xi32>)
  func.return %y : tensor<2x2xi32>
}

// CHECK: `snn.lookup` (gelu.py:1): only graded spikes carry {{.*}} Use code="graded".
// CHECK: `snn.matrix_product` (matmul.py:2): only graded spikes
// CHECK: `snn.softmax` (softmax.py:3): only graded spikes
// CHECK: `snn.product` (gate.py:4): only graded spikes
// CHECK: `snn.layer_norm` (norm.py:5): only graded spikes
