/* What runs before and after main on a Cortex-M7: no operating system, no heap. Written by NeuroCUDA. */
#include <stdint.h>
#include <string.h>

/* memory.ld says where they are. */
extern uint32_t data_begin[], data_end[], data_source[], bss_begin[], bss_end[], stack_end[];

int main(void);
void reset(void);

enum { SYS_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026, FAULT = 3 };

static _Noreturn void stop(uint32_t code) {
    const uint32_t block[] = {APPLICATION_EXIT, code};
    register uint32_t r0 __asm__("r0") = SYS_EXIT_EXTENDED;
    register const uint32_t *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    for (;;) {
    }
}

static void fault(void) {
    stop(FAULT);
}

void reset(void) {
    volatile uint32_t *const coprocessor_access = (volatile uint32_t *)0xE000ED88;
    *coprocessor_access |= 0xFu << 20; /* the floating-point unit */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    memcpy(data_begin, data_source, (uintptr_t)data_end - (uintptr_t)data_begin);
    memset(bss_begin, 0, (uintptr_t)bss_end - (uintptr_t)bss_begin);
    stop((uint32_t)main());
}

typedef void (*handler)(void);

/* The stack, then what is run for reset, NMI, hard fault, memory fault, bus fault, usage fault. */
__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    handler handlers[15];
} vectors = {stack_end, {reset, fault, fault, fault, fault, fault}};
