/* The one error space of riskgate.
 *
 * A function that can fail returns enum rg_err: RG_OK (0) or a negative value.
 * Library folders return errors; app/ and the programs log them. */
#ifndef RG_BASE_ERROR_H
#define RG_BASE_ERROR_H

#define RG_ERR_MAP(X)                                                                                        \
    X(ENOMEM, -1, "out of memory")                                                                           \
    X(EINVAL, -2, "invalid argument or content")                                                             \
    X(ERANGE, -3, "out of range")                                                                            \
    X(EFULL, -4, "bounded queue or buffer is full")                                                          \
    X(ENOTFOUND, -5, "not found")                                                                            \
    X(EEXIST, -6, "exists already")                                                                          \
    X(EIO, -7, "input or output failed")                                                                     \
    X(ETIMEOUT, -8, "timed out")                                                                             \
    X(ESTATE, -9, "not possible in this state")                                                              \
    X(EUNSUPPORTED, -10, "not supported")                                                                    \
    X(ECORRUPT, -11, "damaged")                                                                              \
    X(EAGAIN, -12, "busy, try again later")                                                                  \
    X(EPERM, -13, "not permitted")

enum rg_err {
    RG_OK = 0,
#define RG_ERR_ENUM(name, value, text) RG_##name = (value),
    RG_ERR_MAP(RG_ERR_ENUM)
#undef RG_ERR_ENUM
};

/* "ENOMEM" / "out of memory"; "OK" / "no error" for RG_OK; never NULL. */
const char *rg_err_name(enum rg_err err);
const char *rg_err_text(enum rg_err err);

#define RG_NODISCARD __attribute__((warn_unused_result))
#define RG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define RG_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
