/** File descriptors that are held back, so that connections cannot take the last ones. */

/** Descriptors in reserve: what requests under way need for files, the catalog and providers. */
const reserved = 32;

/** A reserve of file descriptors. */
export interface Reserve {
  /** Fills it. Throws where there are not as many left. */
  fill(): void;
  /** Gives all of it back. */
  release(): void;
}

/**
 * Makes a reserve, empty at first.
 *
 * @param path What is opened again and again for it. Without a path, or where the path cannot be
 * read at all, there is no reserve.
 */
export function createReserve(path: string | undefined): Reserve {
  const held: Deno.FsFile[] = [];
  const release = () => {
    for (const file of held.splice(0)) file.close();
  };
  return {
    release,
    fill() {
      while (path !== undefined && held.length < reserved) {
        try {
          held.push(Deno.openSync(path));
        } catch (error) {
          // A path that cannot be read says nothing of how many descriptors there are.
          if (isOther(error)) break;
          release();
          throw error;
        }
      }
    },
  };
}

/**
 * Returns whether an error is of the path and not of the descriptors: "Too many open files" has no
 * class.
 */
function isOther(error: unknown): boolean {
  const { NotFound, PermissionDenied, NotCapable, IsADirectory } = Deno.errors;
  return [NotFound, PermissionDenied, NotCapable, IsADirectory].some((one) => error instanceof one);
}
