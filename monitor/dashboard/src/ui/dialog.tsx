import { useEffect, useId, useRef, type ReactNode } from "react";
import { useSaid } from "../i18n";
import { Icon } from "./icon";

/** A modal dialog of the browser: it keeps the focus, ends with Escape, and gives the focus back. */
export function Dialog(props: { title: string; onClose: () => void; children: ReactNode }): ReactNode {
  const { t } = useSaid();
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
      onClick={(event) => {
        if (event.target === box.current) props.onClose();
      }}
      className="max-h-[92dvh] w-[min(30rem,calc(100vw-1.5rem))] overflow-y-auto rounded-2xl border border-line bg-card p-0 shadow-2xl"
    >
      <div className="p-5 sm:p-6">
        <div className="mb-4 flex items-start justify-between gap-4">
          <h2 id={id} className="text-lg font-semibold tracking-tight">
            {props.title}
          </h2>
          <button
            type="button"
            onClick={props.onClose}
            aria-label={t("close")}
            className="-m-2 rounded-lg p-2 text-faint hover:bg-sunken hover:text-ink"
          >
            <Icon name="close" />
          </button>
        </div>
        {props.children}
      </div>
    </dialog>
  );
}
