/* Input and output with the C library's files. Written by NeuroCUDA. */
#include "io.h"

#include <stdio.h>

static FILE *inputs, *outputs;
static bool failed;

bool take(void *target, size_t size) {
    if (inputs == NULL) {
        inputs = fopen("inputs.bin", "rb");
    }
    const size_t found = inputs == NULL ? 0 : fread(target, 1, size, inputs);
    failed = failed || inputs == NULL || (found != 0 && found != size);
    return found == size;
}

void give(const void *source, size_t size) {
    if (outputs == NULL) {
        outputs = fopen("outputs.bin", "wb");
    }
    failed = failed || outputs == NULL || fwrite(source, 1, size, outputs) != size;
}

int finish(void) {
    failed = failed || (outputs != NULL && fclose(outputs) != 0);
    return failed;
}
