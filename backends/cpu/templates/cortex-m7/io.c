/* Input and output through semihosting: files of the machine on which the debugger, or qemu, runs. Written by NeuroCUDA.
 *
 * The operations are those of "Semihosting for AArch32 and AArch64", version 2.0. */
#include "io.h"

#include <stdint.h>

enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_READ = 0x06 };
enum { READ_BINARY = 1, WRITE_BINARY = 5 };

static uintptr_t inputs, outputs; /* handles; 0 before a file is open, 1 more than what SYS_OPEN gives behind it */
static bool failed;

static uintptr_t call(uintptr_t operation, const uintptr_t *block) {
    register uintptr_t r0 __asm__("r0") = operation;
    register const uintptr_t *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static uintptr_t opened(const char *name, size_t length, uintptr_t mode) {
    const uintptr_t block[] = {(uintptr_t)name, mode, length};
    const uintptr_t handle = call(SYS_OPEN, block) + 1;
    failed = failed || handle == 0;
    return handle;
}

bool take(void *target, size_t size) {
    if (inputs == 0) {
        inputs = opened("inputs.bin", 10, READ_BINARY);
    }
    const uintptr_t block[] = {inputs - 1, (uintptr_t)target, size};
    const uintptr_t missing = inputs == 0 ? size : call(SYS_READ, block);
    failed = failed || (missing != 0 && missing != size);
    return missing == 0;
}

void give(const void *source, size_t size) {
    if (outputs == 0) {
        outputs = opened("outputs.bin", 11, WRITE_BINARY);
    }
    const uintptr_t block[] = {outputs - 1, (uintptr_t)source, size};
    failed = failed || outputs == 0 || call(SYS_WRITE, block) != 0;
}

int finish(void) {
    return failed; /* the debugger closes the files */
}
