// RUN: not nc-opt %s -p convert-snn-to-cpu 2>&1 | filecheck %s

// A table layer on the CPU has integers on its membrane, constants that make sense and a step to speak at, and a
// product stays within 32 bits.

func.func @main(%x: tensor<2x!ann.count<-8, 7>>, %r: tensor<2xf32>) {
  snn.network code "graded" steps 3 inputs(%x, %r) {
  ^bb0(%i: tensor<2x!ann.count<-8, 7>>, %j: tensor<2xf32>):
    %0 = snn.input %i : tensor<2x!ann.count<-8, 7>> -> tensor<2x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<2x!snn.graded<-8, 7>> -> tensor<2xi32>
    %2 = snn.lookup %1 threshold(dense<2> : tensor<1xi32>) clip -9 to 3 : (tensor<2xi32>) -> tensor<2x!snn.graded<-9, 3>> loc("open.py":1:1)
    %3 = snn.softmax %1 divisor(dense<0> : tensor<1xi32>) table(dense<1> : tensor<1xi8>) levels 3 fire [1, 2] : (tensor<2xi32>) -> tensor<2x!snn.graded<0, 3>> loc("zero.py":2:1)
    %4 = snn.input %j : tensor<2xf32> -> tensor<2xf32>
    %5 = snn.lookup %4 threshold(dense<2> : tensor<1xi32>) clip -9 to 3 fire [1, 2] : (tensor<2xf32>) -> tensor<2x!snn.graded<-9, 3>> loc("float.py":3:1)
    %6 = snn.lookup %1 threshold(dense<1> : tensor<1xi32>) clip 0 to 100000 fire [1, 2] : (tensor<2xi32>) -> tensor<2x!snn.graded<0, 100000>>
    %7 = snn.product %6, %6 : (tensor<2x!snn.graded<0, 100000>>, tensor<2x!snn.graded<0, 100000>>) -> tensor<2xi32>
    %8 = snn.accumulate %7 : (tensor<2xi32>) -> tensor<2xi32> loc("wide.py":4:1)
    snn.output
  } : (tensor<2x!ann.count<-8, 7>>, tensor<2xf32>) -> ()
  func.return
}

// CHECK: `snn.softmax` (zero.py:2): a divisor is 0, and charges are counted in positive ones only
// CHECK: `snn.lookup` (float.py:3): its currents are not integers. Quantise the whole network.
// CHECK: `snn.lookup` (open.py:1): it has no firing window. Run encode-graded first.
// CHECK: `snn.accumulate` (wide.py:4): its membrane potential may lie anywhere in 0 ... 10000000000, which leaves 32 bits
