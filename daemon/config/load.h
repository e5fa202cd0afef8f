/* What one load of a configuration works with: its files, its scratch memory, what was found wrong so far.
 * Internal to config/. */
#ifndef RG_CONFIG_LOAD_H
#define RG_CONFIG_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "config/config.h"
#include "config/intern.h"
#include "config/node.h"
#include "config/table.h"

/* One file that was read, or that could not be. */
struct source {
    const char *name; /* as it was reached from the command line */
    char *text;       /* heap; without a byte order mark; NULL when it could not be read */
    size_t length;
    bool bom;  /* a byte order mark stood before the text */
    dev_t dev; /* these two tell one file from another, whatever its name */
    ino_t ino;
    uint32_t parent;         /* the file that includes it; UINT32_MAX: none */
    struct place named_at;   /* where it is included */
    const struct node *root; /* NULL: empty, or not readable as YAML */
    bool profile;            /* not a part of the configuration, but a profile that a device of it names */
};

struct known_profile; /* profile_parts.h */
struct found;         /* an issue before it is put in order; issue.c */

struct load {
    struct config *config;
    struct table_rows rows[SECTION_COUNT];
    struct intern texts;    /* of the site */
    struct arena *arena;    /* the config's: what the site keeps */
    struct arena scratch;   /* given back at the end of the load */
    struct source *sources; /* [CONFIG_FILES] */
    uint32_t source_count;
    size_t total_bytes;
    size_t node_count;
    struct found *found;
    size_t found_count, found_errors, found_warnings;
    size_t nearest_left;            /* names that may still be compared for suggestions */
    struct known_profile *profiles; /* [CONFIG_FILES], once one was asked for */
    uint32_t profile_count;
    bool text_only; /* config_load_text: no file is touched */
    bool
        profile_only; /* config_load_profile: sources[0] is a profile, and the configuration is made for it */
    bool incomplete;  /* a file is missing or broken: what is not found may be in it */
    bool oom;
};

/* Reads the main file (load->sources[0] is set up already when text_only) and all that it includes, in
 * order. */
void load_files(struct load *ld, const char *file);

/* Reads one more file, a profile, that is named at a place. false: it could not be read or is no YAML, told. */
RG_NODISCARD bool load_profile(struct load *ld, const char *path, struct place named, uint32_t *file);
/* Takes a text as one more file, which stands under that name. false: it is no YAML, told. */
RG_NODISCARD bool load_text(struct load *ld, const char *name, const char *text, size_t length);

/* Whether a node stands in a profile, not in the configuration itself. */
bool node_of_profile(const struct load *ld, const struct node *node);

/* Memory of the load or of the site; NULL sets ld->oom. */
void *load_scratch(struct load *ld, size_t count, size_t size);
void *load_keep(struct load *ld, size_t count, size_t size);
char *load_scratch_text(struct load *ld, const char *text, size_t length);
const char *load_keep_text(struct load *ld, const char *text); /* equal texts are the same one */
/* "file:line" of a place, kept for the site. */
const char *load_where(struct load *ld, struct place at);
/* path, relative to the folder of the file that names it; kept. Absolute paths and those of texts stay as
 * they are. */
const char *load_path(struct load *ld, uint32_t file, const char *path);

/* "credential:NAME": what systemd hands the service over (LoadCredential=riskgate_NAME:...), in the folder $CREDENTIALS_DIRECTORY. Where that
 * is not set (a person checks a file) it is the folder that the shipped unit has, so that the same file means the same. */
#define LOAD_CREDENTIAL "credential:"
bool load_is_credential(const char *text);
/* The path; kept. */
const char *load_credential(struct load *ld, const char *name);
/* Whether this process is given credentials at all: otherwise nothing can be said of one. */
bool load_has_credentials(void);

#endif
