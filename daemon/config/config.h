/* YAML files -> one immutable site. Taken whole or not at all; every error of every file, each with its
 * place. */
#ifndef RG_CONFIG_CONFIG_H
#define RG_CONFIG_CONFIG_H

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/site.h"

#define CONFIG_FILE_BYTES (8u << 20)   /* of one file */
#define CONFIG_TOTAL_BYTES (64u << 20) /* of all files together */
#define CONFIG_FILES 256
#define CONFIG_DEPTH 32
#define CONFIG_NODES (3u << 20) /* values, of all files together */
#define CONFIG_LOOKAHEAD                                                                                     \
    (512u << 10)                  /* bytes without one complete value: libfyaml would queue without bound */
#define CONFIG_ENTRIES 100000u    /* of one list section: devices, rules, ... */
#define CONFIG_POINTS 500000u     /* of all devices */
#define CONFIG_VOTE_MEMBERS 64u   /* of one vote: each alarm of it lists them all */
#define CONFIG_WATCHES (2u << 20) /* pairs of a rule and a point it watches */
#define CONFIG_ERRORS 200         /* kept; further ones are counted only. As many warnings */

enum config_severity { CONFIG_ERROR, CONFIG_WARNING };

struct config_issue {
    enum config_severity severity;
    const char *file;      /* as it was reached from the command line */
    unsigned line, column; /* from 1; 0: the file as a whole */
    const char *text;
    const char *source; /* the offending line, without its end; NULL when there is none */
};

struct profile;

struct config {
    struct arena arena; /* holds everything below */
    struct site *site;  /* NULL when there were errors */
    char sha256[65];    /* lower-case hex over all files' bytes, in the order they were read */
    const char *file;
    struct config_issue *issues; /* in order of file and line; warnings among them */
    size_t issue_count;
    size_t error_count, warning_count; /* those not kept included */
    const char *
        *left_out; /* the optional rules that match no point, in order; they are no part of the site */
    size_t left_out_count;
    const struct profile *profile; /* config_load_profile only */
};

/* Never fails but for memory (RG_ENOMEM, *out is NULL then): what is wrong with the files is in issues. Free
 * with config_free. */
RG_NODISCARD enum rg_err config_load(const char *file, struct config **out);
/* The same for a text that is not in a file: name stands for it in the issues; relative paths in it are taken
 * as they are, and `include` is refused. For tests and tools. */
RG_NODISCARD enum rg_err config_load_text(const char *name, const char *text, size_t length,
                                          struct config **out);
void config_free(struct config *config); /* takes NULL */
/* file:line:column: error: text, the line, and a caret under the column (columns are counted in
 * characters). */
void config_print(const struct config *config, FILE *to);

/* The JSON Schema (draft 2020-12) of a configuration file, generated from the same table that the loader
 * uses. */
void config_write_schema(FILE *to);
/* That of a profile. */
void config_write_profile_schema(FILE *to);

#endif
