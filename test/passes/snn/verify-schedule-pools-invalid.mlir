// RUN: not nc-opt %s -p verify-schedule 2>&1 | filecheck %s

// The second row is two steps late, and every window holds both rows.

func.func @main(%x: tensor<1x1x2x!ann.count<-8, 7>>) -> tensor<1x1x2x!snn.spikes<0, 3>> {
  %y = snn.network code "unary" steps 9 inputs(%x) {
  ^bb0(%i: tensor<1x1x2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x1x2x!ann.count<-8, 7>> -> tensor<1x1x2x!snn.graded<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x1x2x!snn.graded<-8, 7>> -> tensor<1x1x2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 3 fire [1, 4] : (tensor<1x1x2xi32>) -> tensor<1x1x2x!snn.spikes<0, 3>>
    %3 = snn.delay %2 steps 2 : tensor<1x1x2x!snn.spikes<0, 3>> -> tensor<1x1x2x!snn.spikes<0, 3>>
    %4 = snn.concat %2, %3 axis 1 : (tensor<1x1x2x!snn.spikes<0, 3>>, tensor<1x1x2x!snn.spikes<0, 3>>) -> tensor<1x2x2x!snn.spikes<0, 3>>
    %5 = snn.max_pool2d %4 kernel [2, 1] : tensor<1x2x2x!snn.spikes<0, 3>> -> tensor<1x1x2x!snn.spikes<0, 3>>
    snn.output %5 : tensor<1x1x2x!snn.spikes<0, 3>>
  } : (tensor<1x1x2x!ann.count<-8, 7>>) -> (tensor<1x1x2x!snn.spikes<0, 3>>)
  func.return %y : tensor<1x1x2x!snn.spikes<0, 3>>
}

// CHECK: it takes maxima at a step, of trains that do not begin together
// CHECK-SAME: Use `snn.running_max_pool2d`.
