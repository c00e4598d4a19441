"""What goes along with the pictures of a video: sound, subtitles, chapters, title and date."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from selfieart.video.io.reading import probe, read_first_frame
from video_clips import make_clip, picture, sound_packets
from video_runs import duration, kept


@pytest.mark.parametrize(("source", "sound", "target"), [
    (".mp4", "aac", ".mp4"), (".mp4", "aac", ".mov"), (".mp4", "aac", ".mkv"), (".mkv", "libopus", ".webm"),
    (".mkv", "flac", ".mp4"), (".mp4", "libmp3lame", ".mkv"),
])  # fmt: skip
def test_sound_is_copied_bit_for_bit(tmp_path, source, sound, target):
    clip = make_clip(tmp_path / f"a{source}", 30, sound=sound, time_base=Fraction(1, 1000))
    report = kept(clip, tmp_path / f"b{target}", piece=11)
    assert not report.notes
    whole, copied = sound_packets(clip), sound_packets(tmp_path / f"b{target}")
    # The packet before the beginning, which only prepares the decoder, has no place in Matroska.
    assert copied in (whole, whole[1:] if target == ".mkv" else whole)
    if target in (".mp4", ".mov"):
        assert abs(duration(tmp_path / f"b{target}", "audio") - Fraction(30, 25)) < Fraction(1, 25)


def test_sound_that_a_file_does_not_hold_is_encoded_anew(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", 30, sound="aac")
    report = kept(clip, tmp_path / "b.webm")
    assert report.notes == ("A .webm file does not hold aac sound: encoded anew as libopus.",)
    with av.open(str(tmp_path / "b.webm")) as container:
        samples = np.concatenate([frame.to_ndarray().mean(0) for frame in container.decode(audio=0)])
    assert len(samples) / 48000 == pytest.approx(1.2, abs=0.04)
    # The tone is still there: 440 Hz.
    spectrum = np.abs(np.fft.rfft(samples[4800:43200]))
    assert spectrum.argmax() * 48000 / 38400 == pytest.approx(440, abs=3)


def test_sound_stays_where_it_was(tmp_path):
    """A click at 0.6 s is heard at 0.08 s of a part that begins with the frame of 0.52 s."""
    path = tmp_path / "click.wav"
    samples = np.zeros(44100, np.int16)
    samples[26460:26560] = 20000
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44100, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    clip = make_clip(tmp_path / "silent.mp4", 25)
    both = tmp_path / "both.mkv"
    with av.open(str(clip)) as a, av.open(str(path)) as b, av.open(str(both), "w") as out:
        tracks = [out.add_stream_from_template(s) for s in (a.streams.video[0], b.streams.audio[0])]
        for container, track in zip((a, b), tracks, strict=True):
            for packet in container.demux():
                if packet.size:
                    packet.stream = track
                    out.mux(packet)
    for target in ("c.mp4", "c.webm"):
        kept(both, tmp_path / target, start=Fraction(1, 2))
        with av.open(str(tmp_path / target)) as container:
            frames = list(container.decode(audio=0))
            begins = frames[0].pts * frames[0].time_base
            heard = np.concatenate([f.to_ndarray().reshape(f.layout.nb_channels, -1).mean(0) for f in frames])
        at = np.abs(heard.astype(float)).argmax() / frames[0].rate + begins
        assert float(at) == pytest.approx(0.08, abs=0.003), target


def test_no_sound_and_one_frame(tmp_path):
    clip = make_clip(tmp_path / "a.mp4", 1)
    info = probe(clip)
    assert (info.frames, info.has_sound, info.seconds) == (1, False, Fraction(1, 25))
    report = kept(clip, tmp_path / "b.mp4")
    assert (report.frames, report.notes) == (1, ())
    assert np.abs(read_first_frame(tmp_path / "b.mp4").pixels.astype(int) - picture(0)).mean() < 4
    assert duration(tmp_path / "b.mp4") == Fraction(1, 25)


def test_title_and_date_are_kept_and_the_place_is_not(tmp_path):
    told = {"title": "Me", "creation_time": "2024-05-06T07:08:09.000000Z", "location": "+48.2+016.3/"}
    clip = make_clip(tmp_path / "a.mp4", 3, metadata=told)
    kept(clip, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.metadata["title"] == "Me"
        assert container.metadata["creation_time"] == "2024-05-06T07:08:09.000000Z"
        assert not [key for key in container.metadata if "location" in key]


def with_subtitles(clip: Path, target: Path) -> Path:
    lines = target.with_suffix(".srt")
    lines.write_text("1\n00:00:00,200 --> 00:00:00,600\nHello\n\n2\n00:00:00,800 --> 00:00:01,000\nBye\n", "utf-8")
    with av.open(str(clip)) as a, av.open(str(lines)) as b, av.open(str(target), "w") as out:
        tracks = [out.add_stream_from_template(s) for s in (a.streams.video[0], b.streams.subtitles[0])]
        out.set_chapters(
            [{"id": 1, "start": 200, "end": 900, "time_base": Fraction(1, 1000), "metadata": {"title": "C"}}]
        )
        for container, track in zip((a, b), tracks, strict=True):
            for packet in container.demux():
                if packet.size:
                    packet.stream = track
                    out.mux(packet)
    return target


def test_subtitles_and_chapters_are_kept_where_the_file_can_hold_them(tmp_path):
    clip = with_subtitles(make_clip(tmp_path / "a.mp4", 30), tmp_path / "a.mkv")
    assert not kept(clip, tmp_path / "b.mkv", start=Fraction("0.4")).notes
    with av.open(str(tmp_path / "b.mkv")) as container:
        packets = [packet for packet in container.demux(subtitles=0) if packet.size]
        assert [bytes(packet).decode() for packet in packets] == ["Hello", "Bye"]
        assert packets[1].pts * packets[1].time_base == Fraction("0.4")
        (chapter,) = container.chapters()
        assert (chapter["start"], chapter["end"]) == (0, 500_000_000)
    assert kept(clip, tmp_path / "b.mp4").notes == ("Subtitles that a .mp4 file does not hold were left out.",)
