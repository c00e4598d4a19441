import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { LivePainting, openCamera, snapshot } from "../live";
import { camera, fail, look } from "../state";
import { openPhoto } from "../work";
import { Segmented, Sheet } from "./controls";
import { Icon } from "./icons";

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** The webcam, for one picture or painted live. */
export function Camera() {
  const source = useRef<HTMLVideoElement>(null);
  const painted = useRef<HTMLImageElement>(null);
  const ready = useSignal(false);
  const rate = useSignal(0);
  const close = () => (camera.value = "off");
  const isLive = camera.value === "live";
  const bare = !Object.keys(look.value.segments).length;

  useEffect(() => {
    let stream: MediaStream | null = null;
    let gone = false;
    openCamera()
      .then((opened) => {
        stream = opened;
        if (gone) return stop(opened);
        source.current!.srcObject = opened;
        return source.current!.play().then(() => {
          ready.value = true;
        });
      })
      .catch((error) => {
        fail(error);
        close();
      });
    return () => {
      gone = true;
      if (stream) stop(stream);
    };
  }, []);

  useEffect(() => {
    if (!isLive || !ready.value) return;
    let address = "";
    const painting = new LivePainting(
      source.current!,
      look.peek(),
      (frame, perSecond) => {
        URL.revokeObjectURL(address);
        address = URL.createObjectURL(frame);
        if (painted.current) painted.current.src = address;
        rate.value = rate.value ? 0.8 * rate.value + 0.2 * perSecond : perSecond;
      },
      (sentence) => fail(new Error(sentence)),
    );
    const follow = look.subscribe((next) => painting.wear(next));
    return () => {
      follow();
      painting.close();
      URL.revokeObjectURL(address);
      rate.value = 0;
    };
  }, [isLive, ready.value]);

  const take = async () => {
    try {
      const picture = await snapshot(source.current!);
      close();
      await openPhoto(new File([picture], "camera.jpg", { type: "image/jpeg" }));
    } catch (error) {
      fail(error);
    }
  };

  return (
    <Sheet title="Camera" onClose={close} class="camera">
      {!bare && (
        <Segmented
          label="What the camera is for"
          options={[
            { value: "photo", label: "Take a photo" },
            { value: "live", label: "Live" },
          ]}
          value={isLive ? "live" : "photo"}
          onPick={(value) => (camera.value = value)}
        />
      )}
      <div class="viewfinder">
        <video ref={source} muted playsInline aria-label="Camera" />
        {isLive && <img ref={painted} alt="Painted live" data-empty={rate.value === 0 || undefined} />}
        {!ready.value && <span class="spinner" />}
      </div>
      {isLive ? (
        <p class="fine">{rate.value ? `${rate.value.toFixed(1)} pictures per second` : "Painting the first frame"}</p>
      ) : (
        <button type="button" class="primary shutter" disabled={!ready.value} onClick={() => void take()}>
          <Icon name="camera" />
          Take the photo
        </button>
      )}
    </Sheet>
  );
}
