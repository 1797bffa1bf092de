// RUN: nc-opt %s -p 'encode-free{delay=2}' --validate | filecheck %s
// RUN: nc-opt %s -p 'encode-free{delay=9}' --validate | filecheck %s --check-prefix LONG
// RUN: not nc-opt %s -p 'encode-free{delay=-1}' 2>&1 | filecheck %s --check-prefix NEGATIVE

// The first layer has heard all after one step; the second, with a T of its own, fires two steps after the first has
// begun. No layer waits for longer than anything arrives. Nothing is multiplied.

func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!ann.count<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<1x!ann.count<-8, 7>> -> tensor<1xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) initial(dense<5> : tensor<1xi32>) bias(dense<3> : tensor<1xi32>) levels 3 : (tensor<1xi32>) -> tensor<1x!ann.count<0, 3>>
    %3 = snn.diagonal %2 weight(dense<7> : tensor<1xi8>) : tensor<1x!ann.count<0, 3>> -> tensor<1xi32>
    %4 = snn.integrate_and_fire %3 threshold(dense<10> : tensor<1xi32>) levels 4 : (tensor<1xi32>) -> tensor<1x!ann.count<0, 4>>
    %5 = snn.diagonal %4 weight(dense<7> : tensor<1xi8>) : tensor<1x!ann.count<0, 4>> -> tensor<1xi32>
    %6 = snn.accumulate %5 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %6 : tensor<1xi32>
  } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: snn.network code "free" steps 7 interval 6
// CHECK:   snn.integrate_and_fire {{.*}} threshold(dense<10> : tensor<1xi32>) initial(dense<8> : tensor<1xi32>) levels 3 fire [1, 4]
// CHECK:   snn.integrate_and_fire {{.*}} threshold(dense<10> : tensor<1xi32>) {{.*}} levels 4 fire [3, 7]
// LONG: snn.network code "free" steps 8
// LONG:   fire [1, 4]
// LONG:   fire [4, 8]
// NEGATIVE: encode-free: a delay of -1 steps is negative
