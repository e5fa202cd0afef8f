/* The parts of reading and using profiles. Internal to config/. */
#ifndef RG_CONFIG_PROFILE_PARTS_H
#define RG_CONFIG_PROFILE_PARTS_H

#include "config/items.h"
#include "config/load.h"
#include "config/profile.h"

/* One profile that was asked for in this load. */
struct known_profile {
    const char *name;
    struct profile_item item;
    const struct node *root;
    bool good; /* found, and free of errors of its own */
};

/* The profile of that name, read at its first use; NULL when there is none or it is wrong, told once for what is
 * wrong in the file, at `at` for what is not found. */
const struct known_profile *profile_take(struct load *ld, const char *name, struct place at);
/* The same of a file, which profile_take then finds by that name. */
const struct known_profile *profile_take_file(struct load *ld, const char *name, const char *path);

/* What a device is after its profile: a mapping with the keys of both, those of the device before those of the
 * profile; a device without a profile as it is. When its profile is of no use, or asks for something, that is told and
 * the device is left without points. NULL: out of memory. */
const struct node *profile_expand(struct load *ld, const struct node *device);

/* Reads a profile file, and makes a configuration with one device of it what is to be built. */
void profile_begin(struct load *ld, const char *file);

/* Its gates for what `unit_codes` says, for the merged device; appended to its `status`. profile_units.c. */
void profile_check_units(struct load *ld, const struct known_profile *profile, struct node *device);

/* Nodes that stand in no file but have a place in one. NULL when out of memory. node_append takes a shallow copy
 * of child, under its own key, and returns it. */
struct node *node_make(struct load *ld, enum node_kind kind, const char *key, const struct node *place);
struct node *node_make_text(struct load *ld, const char *key, const char *text, const struct node *place);
struct node *node_append(struct load *ld, struct node *parent, const struct node *child);

#endif
