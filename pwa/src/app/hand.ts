/** Giving a text file out of the phone: by the system's own sharing (Bluetooth, Zalo …), else into its downloads. */

export async function handOver(name: string, text: string): Promise<"shared" | "saved" | "cancelled"> {
  const file = new File([text], name, { type: "text/plain" });
  if (navigator.canShare?.({ files: [file] })) {
    try {
      await navigator.share({ files: [file] });
      return "shared";
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return "cancelled";
      // refused by the browser after all: the file can still be saved
    }
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // Not at once: the browser may still be reading it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return "saved";
}
