#include "store/marks.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "store/side_files.h"

#define SLOT_EVERY 4096
#define SLOT_BYTES 512
#define SLOTS 3
#define SLOT_NOTE 2
#define ALARMS_AHEAD MARKS_AHEAD

struct slot {
    uint64_t generation;
    bool ended;
    char boot_id[MARKS_BOOT_ID];
    struct marks_state state;
};

static uint64_t check_sum(const char *text, size_t length)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a, 64 bit */
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return h;
}

static void read_boot_id(char out[MARKS_BOOT_ID])
{
    (void)text_copy(out, MARKS_BOOT_ID, "-");
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    char text[MARKS_BOOT_ID] = "";
    ssize_t n = read(file, text, sizeof(text) - 1);
    (void)close(file);
    if (n <= 0)
        return;
    text[strcspn(text, "\n ")] = '\0';
    if (text[0] != '\0')
        (void)text_copy(out, MARKS_BOOT_ID, text);
}

static bool write_text(const struct slot *s, char out[SLOT_BYTES])
{
    const struct marks_state *t = &s->state;
    char line[SLOT_BYTES - 24];
    if (!text_format(line, sizeof(line),
                     "riskgate-marks 1 %" PRIu64 " %d %s %" PRId64 " %" PRId64 " %" PRIu64 " %" PRId64
                     " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
                     s->generation, s->ended, s->boot_id, t->boot, t->present_ms, t->next_alarm, t->seen[0],
                     t->seen[1], t->seen[2], t->seen[3], t->reserved[0], t->reserved[1], t->reserved[2],
                     t->reserved[3]))
        return false;
    memset(out, '\n', SLOT_BYTES);
    char whole[SLOT_BYTES];
    if (!text_format(whole, sizeof(whole), "%s %016" PRIx64, line, check_sum(line, strlen(line))))
        return false;
    memcpy(out, whole, strlen(whole));
    return true;
}

static bool read_text(char text[SLOT_BYTES + 1], struct slot *s)
{
    struct marks_state *t = &s->state;
    int ended = 0;
    text[strcspn(text, "\n")] = '\0';
    char *sum = strrchr(text, ' ');
    char expected[32];
    if (sum == NULL)
        return false;
    (void)text_format(expected, sizeof(expected), "%016" PRIx64, check_sum(text, (size_t)(sum - text)));
    if (strcmp(sum + 1, expected) != 0)
        return false;
    *sum = '\0';
    int n = sscanf(text, /* NOLINT(cert-err34-c): its check sum says that we wrote it */
                   "riskgate-marks 1 %" SCNu64 " %d %39s %" SCNd64 " %" SCNd64 " %" SCNu64 " %" SCNd64
                   " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64,
                   &s->generation, &ended, s->boot_id, &t->boot, &t->present_ms, &t->next_alarm, &t->seen[0],
                   &t->seen[1], &t->seen[2], &t->seen[3], &t->reserved[0], &t->reserved[1], &t->reserved[2],
                   &t->reserved[3]);
    s->ended = ended != 0;
    return n == 14;
}

static void raise_to(int64_t *number, int64_t least)
{
    *number = *number > least ? *number : least;
}

/* Of several slots the highest numbers hold; how exact they are is for the newest one to say. */
static void read_slots(struct marks *m, struct marks_state *found)
{
    uint64_t newest = 0;
    *found = (struct marks_state){0};
    for (int i = 0; i < SLOTS; i++) {
        char text[SLOT_BYTES + 1] = "";
        struct slot s = {0};
        if (pread(m->fd, text, SLOT_BYTES, (off_t)i * SLOT_EVERY) != SLOT_BYTES || !read_text(text, &s))
            continue;
        if (s.generation >= m->generation) {
            m->generation = s.generation;
            found->exact = s.ended || (strcmp(s.boot_id, m->boot_id) == 0 && strcmp(s.boot_id, "-") != 0);
            found->present_ms = s.state.present_ms;
        }
        found->found = true;
        if (i != SLOT_NOTE && s.generation >= newest) {
            newest = s.generation;
            m->place = 1 - i;
        }
        for (int k = 0; k < STREAM_COUNT; k++) {
            raise_to(&found->seen[k], s.state.seen[k]);
            raise_to(&found->reserved[k], s.state.reserved[k]);
        }
        raise_to(&found->boot, s.state.boot);
        if (s.state.next_alarm > found->next_alarm)
            found->next_alarm = s.state.next_alarm;
    }
}

void marks_open(struct marks *m, const char *path, struct count_vfs *count, struct marks_state *found)
{
    char name[PATH_MAX];
    *m = (struct marks){.fd = -1, .count = count};
    *found = (struct marks_state){0};
    read_boot_id(m->boot_id);
    if (!text_format(name, sizeof(name), "%s.marks", path))
        return;
    m->fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (m->fd < 0) {
        m->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (m->fd >= 0)
            folder_sync(path);
    }
    if (m->fd < 0)
        m->fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW); /* writing to it will fail, as without */
    if (m->fd >= 0)
        read_slots(m, found);
    m->now = *found;
}

void marks_close(struct marks *m)
{
    if (m->fd >= 0)
        (void)close(m->fd); /* what had to be durable was synced */
    m->fd = -1;
}

static bool put(struct marks *m, bool ended, bool sync)
{
    int place = sync ? m->place : SLOT_NOTE;
    struct slot s = {.generation = m->generation + 1, .ended = ended, .state = m->now};
    char text[SLOT_BYTES];
    memcpy(s.boot_id, m->boot_id, sizeof(s.boot_id));
    if (m->fd < 0 || !write_text(&s, text))
        return false;
    m->generation++;
    if (m->count != NULL)
        count_vfs_add(m->count, SLOT_BYTES, sync ? 1 : 0);
    if (pwrite(m->fd, text, SLOT_BYTES, (off_t)place * SLOT_EVERY) != SLOT_BYTES)
        return false;
    if (!sync)
        return true;
    if (fdatasync(m->fd) != 0)
        return false;
    m->place = 1 - m->place;
    return true;
}

static int64_t ahead(int stream)
{
    return stream == STREAM_TELEMETRY ? MARKS_AHEAD_TELEMETRY : MARKS_AHEAD;
}

/* Takes the numbers over. True: some are near the end of what is reserved, and more is now. */
static bool take(struct marks *m, const int64_t head[STREAM_COUNT], uint64_t next_alarm)
{
    bool more = false;
    for (int s = 0; s < STREAM_COUNT; s++) {
        m->now.seen[s] = head[s];
        if (head[s] + ahead(s) / 2 <= m->now.reserved[s])
            continue;
        m->now.reserved[s] = head[s] + ahead(s);
        more = true;
    }
    if (next_alarm + ALARMS_AHEAD / 2 > m->now.next_alarm) {
        m->now.next_alarm = next_alarm + ALARMS_AHEAD;
        more = true;
    }
    return more;
}

bool marks_begin(struct marks *m, const int64_t head[STREAM_COUNT], uint64_t next_alarm, int64_t boot)
{
    (void)take(m, head, next_alarm);
    m->now.boot = boot;
    return put(m, false, true);
}

void marks_note(struct marks *m, const int64_t head[STREAM_COUNT], uint64_t next_alarm, int64_t present_ms)
{
    if (present_ms > 0)
        m->now.present_ms = present_ms;
    /* What cannot be written is tried again with the next commit; records do not wait for it. */
    if (!take(m, head, next_alarm)) {
        (void)put(m, false, false);
        return;
    }
    struct marks_state wanted = m->now;
    if (!put(m, false, true)) {
        for (int s = 0; s < STREAM_COUNT; s++)
            m->now.reserved[s] = wanted.seen[s]; /* reserves again */
    }
}

void marks_end(struct marks *m)
{
    (void)put(m, true, true);
}
