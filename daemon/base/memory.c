#include "base/memory.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* glibc gives each thread an arena of its own, up to eight a processor, in which what it freed stays; a hundred bus threads hardly
 * allocate at all, so that two are enough. Its threshold for blocks that are mapped, and go back at once, grows with each such block
 * that is freed, up to 32 MiB, unless it is set: then what a reload freed would stay for ever, in pieces. */
#define ARENAS 2
#define MAPPED_BYTES (128 << 10)

void memory_setup(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_ARENA_MAX, ARENAS); /* refused: as before, which works as well */
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, MAPPED_BYTES);
#endif
}

void memory_give_back(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

/* Whole pages of a stretch: what shares its first and last page with it is left alone. */
static void drop(uintptr_t begin, size_t bytes)
{
    const long page = sysconf(_SC_PAGESIZE);
    const uintptr_t mask = page > 0 ? (uintptr_t)page - 1 : 0;
    const uintptr_t first = (begin + mask) & ~mask, end = (begin + bytes) & ~mask;

    if (mask != 0 && begin != 0 && end > first)
        (void)madvise((void *)first,               /* NOLINT(performance-no-int-to-ptr) */
                      end - first, MADV_DONTNEED); /* refused: it stays */
}

/* Whether the loader wrote into its code. */
static bool has_text_relocations(const struct dl_phdr_info *object)
{
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &object->dlpi_phdr[i];
        const ElfW(Dyn) * d;

        if (p->p_type != PT_DYNAMIC)
            continue;
        d = (const ElfW(Dyn) *)(object->dlpi_addr + p->p_vaddr); /* NOLINT(performance-no-int-to-ptr) */
        for (; d->d_tag != DT_NULL; d++) {
            if (d->d_tag == DT_TEXTREL || (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL) != 0))
                return true;
        }
    }
    return false;
}

static int leave_cb(struct dl_phdr_info *object, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    for (size_t i = 0; !has_text_relocations(object) && i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &object->dlpi_phdr[i];

        if (p->p_type == PT_LOAD && (p->p_flags & PF_W) == 0)
            drop(object->dlpi_addr + p->p_vaddr, p->p_memsz);
    }
    return 0;
}

void memory_leave_start(void)
{
    (void)dl_iterate_phdr(leave_cb, NULL);
}

void memory_release(void *memory, size_t bytes)
{
    drop((uintptr_t)memory, bytes);
}

/* A leak sanitizer does not look for pointers in mappings. */
#if defined(__SANITIZE_ADDRESS__)
#define ON_THE_HEAP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ON_THE_HEAP 1
#endif
#endif
#ifndef ON_THE_HEAP
#define ON_THE_HEAP 0
#endif

void *memory_reserve(size_t bytes)
{
    void *memory;

    if (ON_THE_HEAP)
        return calloc(1, bytes ? bytes : 1);
    memory = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void memory_unreserve(void *memory, size_t bytes)
{
    if (ON_THE_HEAP)
        free(memory);
    else if (memory)
        (void)munmap(memory, bytes ? bytes : 1); /* fails only for what is no mapping */
}
