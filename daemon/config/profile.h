/* Profiles: the register maps of real devices, one YAML file each, from which a device of a configuration takes
 * its points and habits (the key `profile`). */
#ifndef RG_CONFIG_PROFILE_H
#define RG_CONFIG_PROFILE_H

#include <stdio.h>

#include "config/config.h"
#include "model/quality.h"

/* What a profile leaves to the site: `key` is one of a device's ("order") or of one of its points
 * ("gas.unit"). */
struct profile_ask {
    const char *key;
    const char *why;
};

/* The same key with a value. */
struct profile_give {
    const char *key;
    const char *text; /* YAML, in flow style */
};

/* What the device answers at one address. */
struct profile_answer {
    enum point_space space;
    uint16_t address; /* zero-based */
    uint16_t value;   /* coils and discrete inputs: 0 or 1 */
};

struct profile_expect {
    const char *point;    /* within its device */
    enum quality quality; /* QUALITY_GOOD: it has this value */
    double value;
};

struct profile_vector {
    const char *about;
    bool derived; /* not printed in the manual, but worked out from the coding it states */
    const struct profile_give *gives;
    size_t give_count;
    const struct profile_answer *answers; /* by space, then by address */
    size_t answer_count;
    const struct profile_expect *expects;
    size_t expect_count;
};

/* Belongs to the config it was loaded with. */
struct profile {
    const char *file, *name, *maker, *device, *reads, *source, *note;
    const char *line; /* its line settings as they are written, or NULL */
    const struct profile_ask *asks;
    size_t ask_count;
    const struct profile_vector *vectors;
    size_t vector_count;
};

/* Reads one profile file: (*out)->profile is what it says of itself, and (*out)->site a site with one device of
 * it, "device" on the bus "bus"; what the profile asks for is taken from its first vector. What is wrong with
 * the file is in issues, and then profile and site are NULL. RG_ENOMEM: *out is NULL. */
RG_NODISCARD enum rg_err config_load_profile(const char *file, struct config **out);

/* Writes a configuration with that one device, and what the vector (NULL: none) gives. */
void profile_write_site(FILE *to, const struct profile *profile, const struct profile_vector *vector);

/* The folder of the installed profiles: $RISKGATE_PROFILES; otherwise share/riskgate/profiles beside the folder of
 * the running program, when it is there; otherwise where they were to be installed. out holds the text, cut to
 * size. */
void profile_folder(char *out, size_t size);

#define PROFILE_LIST_MAX 1000
/* The names of the profiles in a folder, sorted. Free with profile_list_free. */
struct profile_list {
    struct arena arena;
    const char **names;
    size_t count;
};
/* RG_ENOTFOUND: the folder cannot be read; RG_ERANGE: there are more than PROFILE_LIST_MAX; RG_ENOMEM. */
RG_NODISCARD enum rg_err profile_list(const char *folder, struct profile_list *out);
void profile_list_free(struct profile_list *list);

#endif
