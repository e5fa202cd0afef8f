#include "store/batch.h"

#include <stdlib.h>
#include <string.h>

static size_t align_up(size_t n)
{
    return (n + 7u) & ~(size_t)7u;
}

enum rg_err region_create(struct region *r, size_t capacity)
{
    *r = (struct region){.capacity = capacity};
    r->memory = malloc(capacity); /* untouched pages cost nothing until a disk is stuck */
    return r->memory == NULL ? RG_ENOMEM : RG_OK;
}

void region_destroy(struct region *r)
{
    free(r->memory);
    *r = (struct region){0};
}

void region_clear(struct region *r)
{
    r->used = r->done = r->told = r->count = r->alarms = 0;
}

static size_t alarm_offset(size_t length, size_t name_length)
{
    return align_up(offsetof(struct entry, text) + ENTRY_HEAD + length + ENTRY_TAIL + name_length + 1);
}

enum rg_err region_add(struct region *r, const struct store_record *record, int64_t turn, uint32_t device,
                       const char *name)
{
    size_t name_length = name == NULL ? 0 : strlen(name);
    if (name_length > TEXT_ID_MAX || record->length > r->capacity)
        return RG_ERANGE;
    size_t alarm_at = alarm_offset(record->length, name_length);
    size_t size = alarm_at + (record->alarm == NULL ? 0 : align_up(sizeof(struct alarm)));
    if (size > r->capacity)
        return RG_ERANGE;
    if (size > r->capacity - r->used)
        return RG_EFULL;

    struct entry *e = region_at(r, r->used);
    *e = (struct entry){
        .size = (uint32_t)size,
        .length = (uint32_t)record->length,
        .ts = record->ts,
        .mono = record->mono,
        .turn = turn,
        .device = device,
        .every_ms = record->every_ms > 0 && record->every_ms < UINT32_MAX ? (uint32_t)record->every_ms : 0,
        .held = record->turn != 0,
        .stream = (uint8_t)record->stream,
        .level = (uint8_t)record->level,
        .was = (uint8_t)record->was,
        .unsynced = record->unsynced,
        .has_alarm = record->alarm != NULL,
        .test = record->test,
        .name_length = (uint8_t)name_length,
    };
    memcpy(e->text + ENTRY_HEAD, record->body, record->length);
    char *name_at = e->text + ENTRY_HEAD + record->length + ENTRY_TAIL;
    if (name_length > 0)
        memcpy(name_at, name, name_length);
    name_at[name_length] = '\0';
    if (record->alarm != NULL)
        memcpy(r->memory + r->used + alarm_at, record->alarm, sizeof(struct alarm));
    r->used += size;
    r->count++;
    r->alarms += record->stream == STREAM_ALARM && record->length > 0;
    return RG_OK;
}

struct entry *region_at(const struct region *r, size_t offset)
{
    /* malloc aligns the memory, align_up every size. */
    return (struct entry *)(void *)(r->memory + offset);
}

const char *entry_body(const struct entry *e)
{
    return e->text + ENTRY_HEAD;
}

const char *entry_name(const struct entry *e)
{
    return e->text + ENTRY_HEAD + e->length + ENTRY_TAIL;
}

const struct alarm *entry_alarm(const struct entry *e)
{
    if (!e->has_alarm)
        return NULL;
    return (const struct alarm *)(const void *)((const char *)e + alarm_offset(e->length, e->name_length));
}

char *entry_seal(struct entry *e, int64_t seq, size_t *length)
{
    static const char key[] = "{\"seq\":";
    char *at = e->text + ENTRY_HEAD;
    *--at = ',';
    for (uint64_t n = (uint64_t)seq; n > 0; n /= 10)
        *--at = (char)('0' + n % 10);
    at -= sizeof(key) - 1;
    memcpy(at, key, sizeof(key) - 1);
    *length = (size_t)(e->text + ENTRY_HEAD + e->length - at);
    return at;
}

size_t entry_close(char *text, size_t length, const char *hash)
{
    static const char key[] = ",\"hash\":\"";
    if (hash != NULL) {
        memcpy(text + length, key, sizeof(key) - 1);
        length += sizeof(key) - 1;
        size_t hash_length = strlen(hash);
        memcpy(text + length, hash, hash_length);
        length += hash_length;
        text[length++] = '"';
    }
    text[length++] = '}';
    return length;
}

enum rg_err lane_create(struct lane *l, size_t capacity)
{
    *l = (struct lane){0};
    enum rg_err err = region_create(&l->regions[0], capacity);
    if (err == RG_OK)
        err = region_create(&l->regions[1], capacity);
    return err;
}

void lane_destroy(struct lane *l)
{
    region_destroy(&l->regions[0]);
    region_destroy(&l->regions[1]);
}

struct region *lane_gather(struct lane *l)
{
    return &l->regions[l->gathering];
}

struct region *lane_fly(struct lane *l)
{
    return &l->regions[1 - l->gathering];
}

bool lane_empty(const struct lane *l)
{
    return l->regions[0].used == 0 && l->regions[1].used == 0;
}

size_t lane_bytes(const struct lane *l)
{
    return l->regions[0].used - l->regions[0].done + l->regions[1].used - l->regions[1].done;
}

void lane_swap(struct lane *l)
{
    if (lane_fly(l)->used == 0 && lane_gather(l)->used > 0)
        l->gathering = 1 - l->gathering;
}

size_t lane_slice(const struct lane *l, size_t bytes, size_t *count)
{
    const struct region *fly = &l->regions[1 - l->gathering];
    size_t end = fly->done;
    *count = 0;
    while (end < fly->used && (*count == 0 || end - fly->done < bytes)) {
        end += region_at(fly, end)->size;
        ++*count;
    }
    return end;
}

void lane_done(struct lane *l, size_t end, size_t count)
{
    struct region *fly = lane_fly(l);
    l->durable += count;
    fly->count -= count;
    fly->done = end;
    if (fly->done < fly->used)
        return;
    region_clear(fly);
    /* Where nothing came meanwhile, memory that was touched already serves again. */
    if (lane_gather(l)->used == 0)
        l->gathering = 1 - l->gathering;
}
