// RUN: nc-opt %s -p encode-radix --validate | filecheck %s
// RUN: nc-opt %s -p encode-latency --validate | filecheck %s
// RUN: nc-opt %s -p encode-graded --validate | filecheck %s --check-prefix GRADED
// RUN: nc-opt %s -p encode-signed --validate | filecheck %s --check-prefix SIGNED
// RUN: nc-opt %s -p encode-unary --validate | filecheck %s --check-prefix UNARY

// T = 1: every code says it in one step.

func.func @main(%x: tensor<2x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<2x!ann.count<-8, 7>> -> tensor<2x!ann.count<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<5> : tensor<1xi8>) : tensor<2x!ann.count<-8, 7>> -> tensor<2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 1 : (tensor<2xi32>) -> tensor<2x!ann.count<0, 1>>
    %3 = snn.linear %2 weight(dense<7> : tensor<1x2xi8>) : tensor<2x!ann.count<0, 1>> -> tensor<1xi32>
    %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %4 : tensor<1xi32>
  } : (tensor<2x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK: steps 2
// CHECK: fire [1, 2] values [1]
// GRADED: steps 2
// GRADED: levels 1 fire [1, 2]
// SIGNED: steps 1
// SIGNED: levels 1 fire [0, 1] signed true
// UNARY: steps 2
// UNARY: levels 1 fire [1, 2] : {{.*}}!snn.spikes<0, 1>
