/* record and change: which readings are recorded, and the memory that takes. */
#include "base/text.h"
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/value.h"
#include "model/site_record.h"

#define MIB_BYTES (1024.0 * 1024)

void build_record(struct build *b, const struct node *map, struct site_device *device)
{
    char period[32];

    if (!map)
        return;
    fill_map(b->ld, SECTION_RECORD, map, &device->record);
    if (device->record.every_ms == 0 && !node_get(map, "every")) {
        issue_warning(b->ld, node_place(map),
                      "`record` without `every` thins nothing: every poll is recorded");
        device->record.around_ms = 0;
    } else if (!device->derived && device->record.every_ms > 0 &&
               device->record.every_ms <= device->poll_ms) {
        issue_warning(b->ld, node_place(node_get(map, "every")),
                      "`every` is no longer than the poll period, %s: every poll is recorded anyway",
                      text_format_duration(device->poll_ms, period));
        device->record = (struct site_record){0, 0};
    }
}

void build_change(struct build *b, const struct node *own)
{
    const struct node *change = node_get(own, "change");
    double value = 1;

    if (change && change->kind == NODE_SCALAR && value_number(change->text, &value) == VALUE_GOOD &&
        value == 0)
        issue_error(b->ld, node_place(change),
                    "`change` must be above 0: leave `record` out, and every reading is recorded");
}

/* Where a device, or a group of derived points, is written. */
static const struct node *node_of(const struct build *b, uint32_t device)
{
    uint32_t read = b->entries[SECTION_DEVICE].count;

    return device < read ? b->entries[SECTION_DEVICE].nodes[device]
                         : b->entries[SECTION_DERIVED].nodes[device - read];
}

/* Live the rules see every reading; after a restart their windows are filled with what was recorded. */
static void check_windows(struct build *b, const struct site_rule *rule, const struct node *node)
{

    for (size_t i = 0; i < rule->point_count && rule->signal.kind != SIGNAL_VALUE; i++) {
        const struct site_point *p = &b->site->points[rule->points[i]];

        if (b->site->devices[p->device].record.every_ms == 0)
            continue;
        if (rule->signal.kind == SIGNAL_SUM)
            issue_warning(
                b->ld, node_place(node),
                "`%s` adds up the readings of `%s`, which are thinned (`record`): after a restart it only "
                "knows the recorded ones, as the least that it can be",
                rule->name, p->full_name);
        else if (p->change == 0 && !site_point_is_state(p))
            issue_warning(
                b->ld, node_place(node),
                "`%s` looks back at `%s`, whose readings are thinned (`record`) without a `change`: after a "
                "restart it only knows one reading in so long",
                rule->name, p->full_name);
        else
            continue;
        return;
    }
}

void record_check(struct build *b)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < b->site->device_count; i++) {
        uint64_t own = site_record_bytes(b->site, i);

        bytes += own;
        if (own > 0 && bytes > SITE_RECORD_BYTES_MAX) {
            issue_error(b->ld, node_place(node_of(b, i)),
                        "`around_alarms` of `%s`: with this device %.1f MiB of memory hold back readings, "
                        "%.1f MiB are "
                        "possible; its own part is %.1f MiB",
                        b->site->devices[i].name, (double)bytes / MIB_BYTES,
                        SITE_RECORD_BYTES_MAX / MIB_BYTES, (double)own / MIB_BYTES);
            return;
        }
    }
    for (uint32_t i = 0; i < b->entries[SECTION_RULE].count; i++) {
        if (b->rule_of[i] != SITE_NONE)
            check_windows(b, &b->site->rules[b->rule_of[i]], b->entries[SECTION_RULE].nodes[i]);
    }
}
