// RUN: nc-opt %s -p encode-graded,verify-schedule --validate | filecheck %s

// A factor may be joined from layers that speak at different steps: each part is held back until the last one speaks,
// and the maximum of windows across them is one at a step again. Nothing else reads what was joined before.

func.func @main(%x: tensor<1x1x2x!ann.count<-8, 7>>) -> tensor<1x1x2xi32> {
  %y = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x1x2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x1x2x!ann.count<-8, 7>> -> tensor<1x1x2x!ann.count<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<1> : tensor<1xi8>) : tensor<1x1x2x!ann.count<-8, 7>> -> tensor<1x1x2xi32>
    %2 = snn.lookup %1 threshold(dense<2> : tensor<1xi32>) clip -3 to 3 : (tensor<1x1x2xi32>) -> tensor<1x1x2x!ann.count<-3, 3>>
    %3 = snn.concat %0, %2 axis 1 : (tensor<1x1x2x!ann.count<-8, 7>>, tensor<1x1x2x!ann.count<-3, 3>>) -> tensor<1x2x2x!ann.count<-8, 7>>
    %4 = snn.max_pool2d %3 kernel [2, 1] : tensor<1x2x2x!ann.count<-8, 7>> -> tensor<1x1x2x!ann.count<-8, 7>>
    %5 = snn.product %4, %2 : (tensor<1x1x2x!ann.count<-8, 7>>, tensor<1x1x2x!ann.count<-3, 3>>) -> tensor<1x1x2xi32>
    %6 = snn.accumulate %5 : (tensor<1x1x2xi32>) -> tensor<1x1x2xi32>
    snn.output %6 : tensor<1x1x2xi32>
  } : (tensor<1x1x2x!ann.count<-8, 7>>) -> (tensor<1x1x2xi32>)
  func.return %y : tensor<1x1x2xi32>
}

// CHECK:      [[X:%.*]] = snn.input
// CHECK:      [[SAID:%.*]] = snn.lookup {{.*}} fire [1, 2]
// CHECK-NEXT: [[LATE:%.*]] = snn.delay [[X]] steps 1
// CHECK-NEXT: [[JOINED:%.*]] = snn.concat [[LATE]], [[SAID]] axis 1 : {{.*}} -> tensor<1x2x2x!snn.graded<-8, 7>>
// CHECK-NEXT: [[LARGEST:%.*]] = snn.max_pool2d [[JOINED]]
// CHECK-NEXT: snn.product [[LARGEST]], [[SAID]]
// CHECK-NEXT: snn.accumulate
