// RUN: nc-opt %s -p convert-snn-to-cpu,allocate-buffers -t cpu | filecheck %s
// RUN: not nc-opt %s -p convert-snn-to-cpu -t cpu 2>&1 | filecheck %s --check-prefix PLACE

// A network as readable C: named layers in comments, one function per kind of loop nest, the clock at the end.

func.func @main(%x: tensor<2x!ann.count<0, 15>>) -> tensor<3xi32> {
  %y = snn.network code "unary" steps 9 inputs(%x) {
  ^bb0(%i: tensor<2x!ann.count<0, 15>>):
    %p = snn.input %i : tensor<2x!ann.count<0, 15>> -> tensor<2x!snn.graded<0, 15>>
    %l = snn.linear %p weight(dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8>) : tensor<2x!snn.graded<0, 15>> -> tensor<3xi32>
    %s = snn.integrate_and_fire %l threshold(dense<9> : tensor<1xi32>) levels 8 fire [1, 9] {nc.origin = "hidden"} : (tensor<3xi32>) -> tensor<3x!snn.spikes<0, 8>>
    %m = snn.linear %s weight(dense<1> : tensor<3x3xi8>) : tensor<3x!snn.spikes<0, 8>> -> tensor<3xi32>
    %a = snn.accumulate %m : (tensor<3xi32>) -> tensor<3xi32>
    snn.output %a : tensor<3xi32>
  } : (tensor<2x!ann.count<0, 15>>) -> (tensor<3xi32>)
  func.return %y : tensor<3xi32>
}

// CHECK: /* A spiking network, written by NeuroCUDA.
// CHECK: model_run runs one image for 9 time steps.
// CHECK: #define MODEL_STEPS 9
// CHECK: #define MODEL_COUNTS 3
// CHECK: 0  hidden: 3
// CHECK: struct model_weights {
// CHECK: alignas(64) int8_t weight_0[6]; /* 2x3,
// CHECK: extern const struct model_weights model_weights;
// CHECK: void model_run(void *state, const struct model_weights *weights, const uint8_t *input, int32_t *output, model_count *counts);
// CHECK-NOT: #include "model.h"
// CHECK: LOOPS linear_0(const uint8_t *restrict source, int32_t *restrict membrane, const int8_t *restrict weight) {
// CHECK: LOOPS fire_0(int32_t *restrict membrane, uint8_t *restrict spikes) {
// CHECK: const int32_t barrier = 9;
// CHECK: for (int32_t step = 0; step < MODEL_STEPS; ++step) {
// CHECK: if (step == 0) {
// CHECK: linear_0(input, buffer_0, weights->weight_0);
// CHECK: if (step >= 1) {
// CHECK: fire_0(buffer_0, buffer_1);
// CHECK: if (counts) {
// CHECK: tally_uint8(counts + 0, buffer_1, 3);

// PLACE: `cpu.buffer`{{.*}}: it has no place in memory. Run allocate-buffers.
