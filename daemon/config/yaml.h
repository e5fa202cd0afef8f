/* The text of one file -> a tree of nodes. The only user of libfyaml in the daemon.
 *
 * A configuration uses a small part of YAML 1.2: mappings with plain keys, lists, scalars. Anchors, aliases,
 * tags and merge keys are refused, so a file cannot grow by expansion, and what stands there is what is
 * meant. */
#ifndef RG_CONFIG_YAML_H
#define RG_CONFIG_YAML_H

#include "config/load.h"

/* Looks at every byte of ld->sources[file] before anything parses them: UTF-8, no control characters. false,
 * and one issue, when it is no text. */
RG_NODISCARD bool yaml_scan(struct load *ld, uint32_t file);
/* Sets root of ld->sources[file] (NULL for an empty file). false, and an issue, when it is not YAML we
 * take. */
RG_NODISCARD bool yaml_parse(struct load *ld, uint32_t file);
/* What stands between single quotes (YAML 1.2, 7.3.2) -> its meaning; out has room for length bytes. Returns
 * those used. Pure. */
size_t yaml_unquote(const char *raw, size_t length, char *out);

#endif
