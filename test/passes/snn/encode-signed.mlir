// RUN: nc-opt %s -p encode-signed --validate | filecheck %s

// Neurons fire at once and may take spikes back; five steps after the input arrives they are at rest. A max pooling follows
// the largest sum, up and down.

func.func @main(%x: tensor<1x2x2x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x2x2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x2x2x!ann.count<-8, 7>> -> tensor<1x2x2x!ann.count<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x2x2x!ann.count<-8, 7>> -> tensor<1x2x2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) initial(dense<5> : tensor<1xi32>) bias(dense<3> : tensor<1xi32>) levels 5 : (tensor<1x2x2xi32>) -> tensor<1x2x2x!ann.count<0, 5>>
    %3 = snn.max_pool2d %2 kernel [2, 2] : tensor<1x2x2x!ann.count<0, 5>> -> tensor<1x1x1x!ann.count<0, 5>>
    %4 = snn.reshape %3 : tensor<1x1x1x!ann.count<0, 5>> -> tensor<1x!ann.count<0, 5>>
    %5 = snn.linear %4 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!ann.count<0, 5>> -> tensor<1xi32>
    %6 = snn.accumulate %5 bias(dense<1> : tensor<1xi32>) : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %6 : tensor<1xi32>
  } : (tensor<1x2x2x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK:      snn.network code "signed" steps 5 interval 5
// CHECK:        snn.input {{.*}} -> tensor<1x2x2x!snn.graded<-8, 7>>
// CHECK:        snn.integrate_and_fire {{.*}} threshold(dense<10> : tensor<1xi32>) initial(dense<8> : tensor<1xi32>) levels 5 fire [0, 5] signed true :
// CHECK-SAME:     -> tensor<1x2x2x!snn.graded<0, 5>>
// CHECK-NEXT:   snn.running_max_pool2d {{.*}} -> tensor<1x1x1x!snn.graded<0, 5>>
// CHECK:        snn.accumulate {{.*}} initial(dense<1> : tensor<1xi32>)
