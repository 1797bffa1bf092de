// RUN: not nc-opt %s -p quantize-weights 2>&1 | filecheck %s

// What has no form in integers is told at once: a softmax whose rows of scores have different units, a norm of charges
// that are tiny beside its epsilon, and a gain beyond 32 bits.

func.func @main(%x: tensor<2x!ann.count<-3, 3>>, %w: tensor<2x2x!ann.count<-3, 3>>) {
  %0 = ann.matrix_product %w, %w : (tensor<2x2x!ann.count<-3, 3>>, tensor<2x2x!ann.count<-3, 3>>) -> tensor<2x2xi32>
  %1 = ann.lookup %0 threshold(dense<[1.0, 2.25]> : tensor<2xf32>) initial(dense<0.5> : tensor<1xf32>) clip -3 to 3 scale(dense<1.0> : tensor<1xf64>) : (tensor<2x2xi32>) -> tensor<2x2x!ann.count<-3, 3>>
  %2 = ann.transpose %1 permutation [1, 0] : tensor<2x2x!ann.count<-3, 3>> -> tensor<2x2x!ann.count<-3, 3>>
  %3 = ann.matrix_product %2, %w : (tensor<2x2x!ann.count<-3, 3>>, tensor<2x2x!ann.count<-3, 3>>) -> tensor<2x2xi32>
  %4 = ann.integer_softmax %3 divisor(dense<1.0> : tensor<1xf32>) table(dense<[2, 1]> : tensor<2xi32>) levels 6 : (tensor<2x2xi32>) -> tensor<2x2x!ann.count<0, 6>> loc("scores"("model.py":1:0))
  %5 = ann.linear %x weight(dense<1.0e-12> : tensor<2x2xf32>) : tensor<2x!ann.count<-3, 3>> -> tensor<2xf32>
  %6 = ann.integer_layer_norm %5 gain(dense<1.0> : tensor<1xf64>) shift(dense<1.0> : tensor<1xf64>) epsilon 1.0 : f64 : (tensor<2xf32>) -> tensor<2x!ann.count<-4, 4>> loc("small"("model.py":2:0))
  %7 = ann.linear %x weight(dense<1.0> : tensor<2x2xf32>) : tensor<2x!ann.count<-3, 3>> -> tensor<2xf32>
  %8 = ann.integer_layer_norm %7 gain(dense<1.0e10> : tensor<1xf64>) shift(dense<1.0> : tensor<1xf64>) epsilon 1.0 : f64 : (tensor<2xf32>) -> tensor<2x!ann.count<-4, 4>> loc("large"("model.py":3:0))
  func.return
}

// CHECK:      `ann.integer_softmax` (scores, model.py:1): what it multiplies has a different scale in every row. Put a linear layer in front of the product.
// CHECK-NEXT: `ann.integer_layer_norm` (small, model.py:2): its charges are small beside its epsilon. Train with a smaller epsilon.
// CHECK-NEXT: `ann.integer_layer_norm` (large, model.py:3): its gain does not fit into 32 bits. Use fewer timesteps or weight bits.
