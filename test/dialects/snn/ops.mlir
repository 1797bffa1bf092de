// RUN: nc-opt %s | nc-opt | filecheck %s

// Every operation prints and parses; defaults are left out.

func.func @main(%x: tensor<2x4x4x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "unary" steps 9 inputs(%x) {
  ^bb0(%i: tensor<2x4x4x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<2x4x4x!ann.count<-8, 7>> -> tensor<2x4x4x!snn.graded<-8, 7>>
    %1 = snn.conv2d %0 weight(dense<1> : tensor<2x2x3x3xi8>) padding [1, 1, 1, 1] : tensor<2x4x4x!snn.graded<-8, 7>> -> tensor<2x4x4xi32>
    %2 = snn.diagonal %0 weight(dense<3> : tensor<2x1x1xi8>) : tensor<2x4x4x!snn.graded<-8, 7>> -> tensor<2x4x4xi32>
    %3 = snn.integrate_and_fire %1, %2 threshold(dense<10> : tensor<2x1x1xi32>) initial(dense<5> : tensor<2x1x1xi32>) levels 4 fire [1, 5] : (tensor<2x4x4xi32>, tensor<2x4x4xi32>) -> tensor<2x4x4x!snn.spikes<0, 4>>
    %4 = snn.max_pool2d %3 kernel [2, 2] stride [2, 2] : tensor<2x4x4x!snn.spikes<0, 4>> -> tensor<2x2x2x!snn.spikes<0, 4>>
    %5 = snn.running_max_pool2d %3 kernel [2, 2] stride [2, 2] : tensor<2x4x4x!snn.spikes<0, 4>> -> tensor<2x2x2x!snn.spikes<0, 4>>
    %6 = snn.concat %4, %5 axis 0 : (tensor<2x2x2x!snn.spikes<0, 4>>, tensor<2x2x2x!snn.spikes<0, 4>>) -> tensor<4x2x2x!snn.spikes<0, 4>>
    %7 = snn.sum_pool2d %6 kernel [2, 2] : tensor<4x2x2x!snn.spikes<0, 4>> -> tensor<4x1x1x!snn.graded<0, 16>>
    %8 = snn.transpose %7 permutation [1, 0, 2] : tensor<4x1x1x!snn.graded<0, 16>> -> tensor<1x4x1x!snn.graded<0, 16>>
    %9 = snn.reshape %8 : tensor<1x4x1x!snn.graded<0, 16>> -> tensor<4x!snn.graded<0, 16>>
    %10 = snn.slice %9 starts [0] stops [4] steps [2] : tensor<4x!snn.graded<0, 16>> -> tensor<2x!snn.graded<0, 16>>
    %11 = snn.pad %10 low [1] high [1] : tensor<2x!snn.graded<0, 16>> -> tensor<4x!snn.graded<0, 16>>
    %12 = snn.delay %11 steps 2 : tensor<4x!snn.graded<0, 16>> -> tensor<4x!snn.graded<0, 16>>
    %13 = snn.linear %12 weight(dense<1> : tensor<1x4xi8>) : tensor<4x!snn.graded<0, 16>> -> tensor<1xi32>
    %14 = snn.accumulate %13 initial(dense<2> : tensor<1xi32>) : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %14 : tensor<1xi32>
  } : (tensor<2x4x4x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: snn.network code "unary" steps 9 inputs(%x) {
// CHECK: snn.input %{{.*}} : tensor<2x4x4x!ann.count<-8, 7>> -> tensor<2x4x4x!snn.graded<-8, 7>>
// CHECK: snn.conv2d %{{.*}} weight(dense<1> : tensor<2x2x3x3xi8>) padding [1, 1, 1, 1] :
// CHECK: snn.diagonal
// CHECK: snn.integrate_and_fire %{{.*}}, %{{.*}} threshold(dense<10> : tensor<2x1x1xi32>) initial(dense<5> : tensor<2x1x1xi32>) levels 4 fire [1, 5] :
// CHECK: snn.max_pool2d %{{.*}} kernel [2, 2] stride [2, 2] :
// CHECK: snn.running_max_pool2d
// CHECK: snn.concat %{{.*}}, %{{.*}} axis 0 :
// CHECK: snn.sum_pool2d
// CHECK: snn.transpose %{{.*}} permutation [1, 0, 2]
// CHECK: snn.reshape
// CHECK: snn.slice %{{.*}} starts [0] stops [4] steps [2]
// CHECK: snn.pad %{{.*}} low [1] high [1]
// CHECK: snn.delay %{{.*}} steps 2
// CHECK: snn.linear
// CHECK: snn.accumulate %{{.*}} initial(dense<2> : tensor<1xi32>)
// CHECK: snn.output
