// RUN: not nc-opt %s -p partition-groups 2>&1 | filecheck %s

// A layer larger than the largest system is refused before it is cut.

// CHECK: the network does not fit loihi2:
// CHECK-SAME: huge ({{.*}}): it needs at least 390,625 cores, and there are 147,456. Use a smaller layer.
func.func @main(%x: tensor<1x40000x40000x1xi1>) -> tensor<1x40000x40000x1xi1> {
  %y = loihi.network steps 1 inputs(%x) {
  ^bb0(%i: tensor<1x40000x40000x1xi1>):
    %0 = loihi.source %i : tensor<1x40000x40000x1xi1> -> tensor<40000x40000x1xi1>
    %1 = loihi.conv %0 weight(dense<2> : tensor<1x1x1x1xi8>) sign_mode "mixed" : tensor<40000x40000x1xi1> -> tensor<40000x40000x1xi24>
    %2, %3 = loihi.integrate_and_fire %1 threshold(dense<3> : tensor<1xi32>) {nc.origin = "huge"} : (tensor<40000x40000x1xi24>) -> tensor<40000x40000x1xi1>, tensor<40000x40000x1xi24>
    loihi.output %2 : tensor<40000x40000x1xi1>
  } : (tensor<1x40000x40000x1xi1>) -> (tensor<1x40000x40000x1xi1>)
  func.return %y : tensor<1x40000x40000x1xi1>
}
