// RUN: not nc-opt %s -p verify-schedule 2>&1 | filecheck %s

// A table layer fires, within the network's steps, when all that it hears has arrived; factors of a product meet; and
// neither stands in another code.

func.func @main(%x: tensor<2x!ann.count<-8, 7>>) {
  snn.network code "graded" steps 3 interval 9 inputs(%x) {
  ^bb0(%i: tensor<2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<2x!ann.count<-8, 7>> -> tensor<2x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<2x!snn.graded<-8, 7>> -> tensor<2xi32>
    %2 = snn.lookup %1 threshold(dense<2> : tensor<1xi32>) clip -9 to 3 : (tensor<2xi32>) -> tensor<2x!snn.graded<-9, 3>> loc("open.py":1:1)
    %3 = snn.lookup %1 threshold(dense<2> : tensor<1xi32>) clip -9 to 3 fire [0, 1] : (tensor<2xi32>) -> tensor<2x!snn.graded<-9, 3>> loc("early.py":2:1)
    %4 = snn.lookup %1 threshold(dense<2> : tensor<1xi32>) clip -9 to 3 fire [3, 4] : (tensor<2xi32>) -> tensor<2x!snn.graded<-9, 3>> loc("late.py":3:1)
    %5 = snn.lookup %1 threshold(dense<2> : tensor<1xi32>) clip -9 to 3 fire [2, 3] : (tensor<2xi32>) -> tensor<2x!snn.graded<-9, 3>> loc("right.py":4:1)
    %6 = snn.product %5, %0 : (tensor<2x!snn.graded<-9, 3>>, tensor<2x!snn.graded<-8, 7>>) -> tensor<2xi32> loc("apart.py":5:1)
    %7 = snn.concat %5, %0 axis 0 : (tensor<2x!snn.graded<-9, 3>>, tensor<2x!snn.graded<-8, 7>>) -> tensor<4x!snn.graded<-9, 7>>
    %8 = snn.product %7, %7 : (tensor<4x!snn.graded<-9, 7>>, tensor<4x!snn.graded<-9, 7>>) -> tensor<4xi32> loc("joined.py":6:1)
    snn.output
  } : (tensor<2x!ann.count<-8, 7>>) -> ()
  snn.network code "unary" steps 3 interval 9 inputs(%x) {
  ^bb0(%i: tensor<2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<2x!ann.count<-8, 7>> -> tensor<2x!snn.graded<-8, 7>>
    %1 = snn.product %0, %0 : (tensor<2x!snn.graded<-8, 7>>, tensor<2x!snn.graded<-8, 7>>) -> tensor<2xi32> loc("product.py":7:1)
    %2 = snn.softmax %1 divisor(dense<1> : tensor<1xi32>) table(dense<1> : tensor<1xi8>) levels 3 fire [1, 2] : (tensor<2xi32>) -> tensor<2x!snn.graded<0, 3>> loc("softmax.py":8:1)
    snn.output
  } : (tensor<2x!ann.count<-8, 7>>) -> ()
  func.return
}

// CHECK:      `snn.lookup` (open.py:1): in code "graded" a layer has a firing window
// CHECK-NEXT: `snn.lookup` (early.py:2): it fires from step 0 on, and `snn.diagonal` {{.*}} may arrive until step 1
// CHECK-NEXT: `snn.lookup` (late.py:3): it fires until step 4, and the network ends at step 3
// CHECK-NOT:  right.py
// CHECK:      `snn.product` (apart.py:5; and 1 more): its factors do not speak at one and the same step
// CHECK-NEXT: `snn.product` (product.py:7): only graded spikes
// CHECK-NEXT: `snn.softmax` (softmax.py:8): only graded spikes
