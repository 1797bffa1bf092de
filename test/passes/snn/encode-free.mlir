// RUN: nc-opt %s -p encode-free --validate | filecheck %s

// Everything runs for T = 3 steps: the input is a current, the bias flows at every step, thresholds, initial values and
// the weights of spikes are tripled, and a max pooling counts.

func.func @main(%x: tensor<1x2x2x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x2x2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x2x2x!ann.count<-8, 7>> -> tensor<1x2x2x!ann.count<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x2x2x!ann.count<-8, 7>> -> tensor<1x2x2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) initial(dense<5> : tensor<1xi32>) bias(dense<3> : tensor<1xi32>) levels 3 : (tensor<1x2x2xi32>) -> tensor<1x2x2x!ann.count<0, 3>>
    %3 = snn.max_pool2d %2 kernel [2, 2] : tensor<1x2x2x!ann.count<0, 3>> -> tensor<1x1x1x!ann.count<0, 3>>
    %4 = snn.reshape %3 : tensor<1x1x1x!ann.count<0, 3>> -> tensor<1x!ann.count<0, 3>>
    %5 = snn.linear %4 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!ann.count<0, 3>> -> tensor<1xi32>
    %6 = snn.accumulate %5 bias(dense<1> : tensor<1xi32>) : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %6 : tensor<1xi32>
  } : (tensor<1x2x2x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK:      snn.network code "free" steps 3
// CHECK:        snn.input {{.*}} code "current"
// CHECK-NEXT:   snn.diagonal {{.*}} weight(dense<5> : tensor<1xi8>)
// CHECK-NEXT:   snn.integrate_and_fire {{.*}} threshold(dense<30> : tensor<1xi32>) initial(dense<15> : tensor<1xi32>) bias(dense<3> : tensor<1xi32>)
// CHECK-NEXT:   snn.running_max_pool2d
// CHECK:        snn.linear {{.*}} weight(dense<21> : tensor<1x1xi8>)
// CHECK-NEXT:   snn.accumulate {{.*}} bias(dense<1> : tensor<1xi32>)
