// RUN: nc-opt %s -p encode-graded,verify-schedule --validate | filecheck %s

// Where all counts of a window are negative, silence (0) wins in no pooling: trains that come together have their
// maximum at that step, others count, and a count that falls takes back what was said before.

func.func @main(%x: tensor<1x2x2x!ann.count<-8, 7>>) -> (tensor<1x1x1xi32>, tensor<2x1x1xi32>) {
  %y:2 = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x2x2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x2x2x!ann.count<-8, 7>> -> tensor<1x2x2x!ann.count<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<1> : tensor<1xi8>) : tensor<1x2x2x!ann.count<-8, 7>> -> tensor<1x2x2xi32>
    %2 = snn.lookup %1 threshold(dense<1> : tensor<1xi32>) clip -9 to -1 : (tensor<1x2x2xi32>) -> tensor<1x2x2x!ann.count<-9, -1>>
    %3 = snn.max_pool2d %2 kernel [2, 2] stride [2, 2] padding [1, 0, 1, 0] : tensor<1x2x2x!ann.count<-9, -1>> -> tensor<1x1x1x!ann.count<-9, -1>>
    %4 = snn.diagonal %2 weight(dense<2> : tensor<1xi8>) : tensor<1x2x2x!ann.count<-9, -1>> -> tensor<1x2x2xi32>
    %5 = snn.lookup %4 threshold(dense<1> : tensor<1xi32>) clip -30 to -2 : (tensor<1x2x2xi32>) -> tensor<1x2x2x!ann.count<-30, -2>>
    %6 = snn.concat %2, %5 axis 1 : (tensor<1x2x2x!ann.count<-9, -1>>, tensor<1x2x2x!ann.count<-30, -2>>) -> tensor<1x4x2x!ann.count<-30, -1>>
    %7 = snn.max_pool2d %6 kernel [4, 2] : tensor<1x4x2x!ann.count<-30, -1>> -> tensor<1x1x1x!ann.count<-30, -1>>
    %8 = snn.concat %3, %7 axis 0 : (tensor<1x1x1x!ann.count<-9, -1>>, tensor<1x1x1x!ann.count<-30, -1>>) -> tensor<2x1x1x!ann.count<-30, -1>>
    %9 = snn.diagonal %3 weight(dense<1> : tensor<1xi8>) : tensor<1x1x1x!ann.count<-9, -1>> -> tensor<1x1x1xi32>
    %10 = snn.accumulate %9 : (tensor<1x1x1xi32>) -> tensor<1x1x1xi32>
    %11 = snn.diagonal %8 weight(dense<1> : tensor<1xi8>) : tensor<2x1x1x!ann.count<-30, -1>> -> tensor<2x1x1xi32>
    %12 = snn.accumulate %11 : (tensor<2x1x1xi32>) -> tensor<2x1x1xi32>
    snn.output %10, %12 : tensor<1x1x1xi32>, tensor<2x1x1xi32>
  } : (tensor<1x2x2x!ann.count<-8, 7>>) -> (tensor<1x1x1xi32>, tensor<2x1x1xi32>)
  func.return %y#0, %y#1 : tensor<1x1x1xi32>, tensor<2x1x1xi32>
}

// CHECK: snn.max_pool2d {{.*}} -> tensor<1x1x1x!snn.graded<-9, -1>>
// CHECK: snn.running_max_pool2d {{.*}} -> tensor<1x1x1x!snn.graded<-30, 0>>
