/* A listening Unix socket at a path, which only those may use who are meant to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop/internal.h"

static int local_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* RG_OK when the path is free now; a socket nobody listens on any more is removed for that. */
static enum rg_err local_clear(const struct sockaddr_un *address, int *reason)
{
    struct stat st;
    int error = 0;
    int fd;

    if (lstat(address->sun_path, &st) != 0) {
        if (errno == ENOENT)
            return RG_OK;
        *reason = errno;
        return RG_EIO;
    }
    if (!S_ISSOCK(st.st_mode)) {
        *reason = EEXIST;
        return RG_EIO;
    }
    fd = local_socket();
    if (fd < 0) {
        *reason = errno;
        return RG_EIO;
    }
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        error = errno;
    (void)close(fd);
    /* EAGAIN: someone listens, and has many waiting already. */
    if (error == 0 || error == EAGAIN)
        return RG_EEXIST;
    if (error == ECONNREFUSED && unlink(address->sun_path) == 0)
        return RG_OK;
    *reason = error == ECONNREFUSED ? errno : error;
    return RG_EIO;
}

/* bind gives the file the rights that the umask leaves, which is the whole process's and not touched here. The rights asked
 * for are set before listen: until then nobody can connect, whatever the file allows. What has not got them does not stay. */
static bool local_bind_with(int fd, const struct sockaddr_un *address, unsigned mode, uint32_t group,
                            struct stat *st, int *reason)
{
    const char *path = address->sun_path;

    if (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
        *reason = errno;
        return false;
    }
    if ((group == LOOP_GROUP_OWN || lchown(path, (uid_t)-1, (gid_t)group) == 0) &&
        chmod(path, (mode_t)mode) == 0 && lstat(path, st) == 0)
        return true;
    *reason = errno;
    (void)unlink(path);
    return false;
}

enum rg_err local_bind(const char *path, unsigned mode, uint32_t group, int *out, struct local_file *file,
                       int *reason)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    enum rg_err err;
    struct stat st;
    int fd;

    if (length == 0 || length >= sizeof address.sun_path)
        return RG_EINVAL;
    memcpy(address.sun_path, path, length);
    err = local_clear(&address, reason);
    if (err != RG_OK)
        return err;
    fd = local_socket();
    if (fd < 0) {
        *reason = errno;
        return RG_EIO;
    }
    if (!local_bind_with(fd, &address, mode, group, &st, reason)) {
        (void)close(fd);
        return RG_EIO;
    }
    *out = fd;
    *file = (struct local_file){.device = st.st_dev, .inode = st.st_ino};
    return RG_OK;
}

void local_unlink(const char *path, const struct local_file *file)
{
    struct stat st;

    if (lstat(path, &st) == 0 && st.st_dev == file->device && st.st_ino == file->inode)
        (void)unlink(path);
}

enum rg_err local_grant(const char *path, const struct local_file *file, uint32_t group, int *reason)
{
    gid_t wanted = group == LOOP_GROUP_OWN ? getegid() : (gid_t)group;
    struct stat st;

    if (lstat(path, &st) != 0) {
        *reason = errno;
        return RG_EIO;
    }
    if (st.st_dev != file->device || st.st_ino != file->inode) {
        *reason = ESTALE;
        return RG_EIO;
    }
    if (st.st_gid != wanted && lchown(path, (uid_t)-1, wanted) != 0) {
        *reason = errno;
        return RG_EIO;
    }
    return RG_OK;
}

bool local_peer_uid(int fd, uint32_t *uid)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    *uid = (uint32_t)peer.uid;
    return true;
}

/* As the kernel had them when it connected: the name service, which may take long, is not asked. */
bool local_peer_in_group(int fd, uint32_t group)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    gid_t *groups;
    bool in = false;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    if (peer.gid == (gid_t)group)
        return true;
    size = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
        return false; /* none, or a kernel that does not tell */
    groups = malloc(size);
    if (!groups)
        return false;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
        for (size_t i = 0; i < size / sizeof *groups; i++)
            in = in || groups[i] == (gid_t)group;
    }
    free(groups);
    return in;
}
